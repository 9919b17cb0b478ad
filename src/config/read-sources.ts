/**
 * The effects that configuration needs: files and the addresses of the pod's interfaces.
 */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { errorCode, errorMessage } from "../lifecycle/error-message.ts";
import type { FileContent } from "./agent-config.ts";

/** Read a text file; never throws. */
export function readConfigFile(path: string): FileContent {
  try {
    return { kind: "read", text: readFileSync(path, "utf8") };
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "missing" };
    return { kind: "unreadable", message: errorMessage(error) };
  }
}

/** Addresses that other pods can reach: neither loopback nor link-local, IPv4 first as the kernel lists them. */
export function interfaceAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter(({ internal, address }) => !internal && !/^(169\.254\.|fe80:)/i.test(address))
    .map(({ address }) => address);
}
