/**
 * The effects that configuration needs: files and the addresses of the pod's interfaces.
 */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { errorCode, errorMessage } from "../lifecycle/error-message.ts";
import type { InterfaceAddress } from "./addresses.ts";
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

/** Addresses that other pods can reach: neither loopback, link-local nor multicast, in the kernel's order. */
export function interfaceAddresses(): readonly InterfaceAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, entries = []]) =>
    entries
      .filter(({ internal, address }) => !internal && !unreachable.test(address))
      .map(({ address }) => ({ name, address })),
  );
}

const unreachable = /^(?:169\.254\.|22[4-9]\.|23\d\.|fe[89ab][0-9a-f]:|ff[0-9a-f]{2}:)/i;
