/**
 * The operating system's roots, which Node.js does not use by itself: it brings Mozilla's of its release.
 */
import { readRegularFile } from "../files/read-regular-file.ts";

/** Largest bundle of roots that is read: many times what a machine has. */
export const maxRootBytes = 8 * 2 ** 20;

/** Where operating systems keep their roots; the first that exists is used. */
export const systemRootPaths: readonly string[] = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
  "/usr/local/etc/ssl/cert.pem",
  "/etc/ssl/certs/ca-certificates",
];

/** PEM; undefined where there are none. */
export function readSystemRoots(paths: readonly string[] = systemRootPaths): Buffer | undefined {
  for (const path of paths) {
    try {
      const roots = readRegularFile(path, { maxBytes: maxRootBytes });
      if (roots.includes("-----BEGIN CERTIFICATE-----")) return roots;
    } catch {
      // The next place.
    }
  }
  return undefined;
}
