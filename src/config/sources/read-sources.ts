/**
 * The effects that configuration needs: files and the addresses of the pod's interfaces.
 */
import { readdirSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { bootstrapLimits } from "../../document/limits.ts";
import { readRegularText } from "../../files/read-regular-file.ts";
import { errorCode, errorMessage } from "../../lifecycle/error-message.ts";
import type { InterfaceAddress } from "./addresses.ts";
import type { FileContent } from "./config-sources.ts";

/** Largest file of configuration: a bootstrap may be as long. */
const maxBytes = bootstrapLimits.maxBytes;

/** Read a text file; never throws, and never waits for what is none. */
export function readConfigFile(path: string): FileContent {
  try {
    return { kind: "read", text: readRegularText(path, { maxBytes }) };
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

/** Interfaces that are up, but for loopback, whether they have an address or not (netdevice(7)). */
export function upLinks(): readonly string[] {
  const [isUp, isLoopback] = [0x1, 0x8];
  return namesIn(linksFolder).filter((name) => {
    const content = readConfigFile(`${linksFolder}/${name}/flags`);
    const flags = content.kind === "read" ? Number(content.text) : 0;
    return (flags & isUp) !== 0 && (flags & isLoopback) === 0;
  });
}

const linksFolder = "/sys/class/net";

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const unreachable = /^(?:169\.254\.|22[4-9]\.|23\d\.|fe[89ab][0-9a-f]:|ff[0-9a-f]{2}:)/i;
