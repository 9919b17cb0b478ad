/**
 * What is read from the place that is captured: users, groups, addresses, name servers.
 */
import { networkInterfaces } from "node:os";
import { readRegularText } from "../files/read-regular-file.ts";
import type { RunTool } from "./apply/tool.ts";
import type { CapturePlace } from "./options/read-options.ts";

/** @param proxyUser name of Envoy's user */
export function readPlace(proxyUser: string): CapturePlace {
  const users = idsByName(textOf("/etc/passwd"));
  return {
    proxyUid: users.get(proxyUser),
    groups: idsByName(textOf("/etc/group")),
    addresses: Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).map(({ address }) => withoutZone(address)),
    ),
    nameServers: nameServersOf(textOf("/etc/resolv.conf")),
  };
}

/**
 * The place seen from a node, where a CNI plugin is called: its addresses are those of the pod's network namespace, and
 * the pod's `/etc/resolv.conf` is not to be had.
 */
export async function readPlaceIn(run: RunTool, proxyUser: string): Promise<CapturePlace | string> {
  const shown = await run("ip", ["-o", "addr", "show"]);
  if (shown.kind !== "done") return shown.kind === "failed" ? shown.message : "there is no ip";
  return { ...readPlace(proxyUser), addresses: addressesOf(shown.lines), nameServers: undefined };
}

/** Of `ip -o addr show`. */
export function addressesOf(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => /\sinet6? ([^\s/]+)/.exec(line)?.[1] ?? []);
}

/** Servers of resolv.conf(5), in their order. */
export function nameServersOf(text: string): readonly string[] {
  return [...text.matchAll(/^nameserver\s+(\S+)/gm)].map(([, server = ""]) => withoutZone(server));
}

/** The third field by the first, in passwd(5) and group(5). */
export function idsByName(text: string): ReadonlyMap<string, number> {
  const rows = text.split("\n").map((line) => line.split(":"));
  return new Map(
    rows.flatMap(([name = "", , id = ""]) => (/^\d+$/.test(id) ? [[name, Number(id)] as const] : [])),
  );
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, "");
}

/** Empty where it is missing or cannot be read: an image need not have it. */
function textOf(path: string): string {
  try {
    return readRegularText(path);
  } catch {
    return "";
  }
}
