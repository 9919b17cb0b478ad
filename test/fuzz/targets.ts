/**
 * Everything that takes bytes from outside. Each is loaded alone: they start servers and make keys.
 */
import type { FuzzTarget } from "./target.ts";
import type { TargetName } from "./target-names.ts";

const groups: readonly (() => Promise<readonly FuzzTarget[]>)[] = [
  async () => (await import("./targets/configuration.ts")).configurationTargets,
  async () => [(await import("./targets/app-probes.ts")).appProbesTarget],
  async () => [(await import("./targets/config-folder.ts")).configFolderTarget],
  async () => [(await import("./targets/tokens.ts")).tokenTarget],
  async () => [(await import("./targets/certificate-requests.ts")).certificateRequestTarget],
  async () => [(await import("./targets/application-socket.ts")).applicationSocketTarget],
  async () => [(await import("./targets/exposition.ts")).expositionTarget],
  async () => (await import("./targets/http.ts")).httpTargets,
  async () => (await import("./targets/streams.ts")).streamTargets,
  async () => (await import("./targets/dns.ts")).dnsTargets,
  async () => [(await import("./targets/dns-forwarding.ts")).dnsForwardingTarget],
  async () => (await import("./targets/discovery.ts")).discoveryTargets,
];

/** @throws Error when the name is in no group */
export async function findTarget(name: TargetName): Promise<FuzzTarget> {
  for (const group of groups) {
    const target = (await group()).find((candidate) => candidate.name === name);
    if (target !== undefined) return target;
  }
  throw new Error(`the target ${name} is in no group`);
}
