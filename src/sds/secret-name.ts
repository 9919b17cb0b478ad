/**
 * The names of secrets in Istio's configuration, and what each means.
 */

import { systemRootPaths } from "../pki/system-roots.ts";

/** A secret that is served here. */
export type SecretName =
  /** The workload's key and certificate. */
  | { readonly kind: "workload" }
  /** The root that peers are verified with. */
  | { readonly kind: "root" }
  | { readonly kind: "file-pair"; readonly certificateChainPath: string; readonly privateKeyPath: string }
  | { readonly kind: "file-root"; readonly path: string }
  /** The operating system's roots. */
  | { readonly kind: "system-roots" };

const filePair = "file-cert:";
const fileRoot = "file-root:";

/** Undefined for a name that is not served: it must never be answered with the workload's key. */
export function parseSecretName(name: string): SecretName | undefined {
  if (name === "default") return { kind: "workload" };
  if (name === "ROOTCA") return { kind: "root" };
  if (name.startsWith(filePair)) {
    const [certificateChainPath = "", privateKeyPath = "", ...more] = name.slice(filePair.length).split("~");
    if (certificateChainPath === "" || privateKeyPath === "" || more.length > 0) return undefined;
    return { kind: "file-pair", certificateChainPath, privateKeyPath };
  }
  if (name.startsWith(fileRoot)) {
    const path = name.slice(fileRoot.length);
    if (path === "system") return { kind: "system-roots" };
    return path === "" ? undefined : { kind: "file-root", path };
  }
  return undefined;
}

/** The files that a secret is made of. */
export function filesOf(secret: SecretName): readonly string[] {
  switch (secret.kind) {
    case "workload":
    case "root":
      return [];
    case "file-pair":
      return [secret.certificateChainPath, secret.privateKeyPath];
    case "file-root":
      return [secret.path];
    case "system-roots":
      return systemRootPaths;
  }
}
