/** Whoever sends for the proxy: its users, then its groups. */
import type { CaptureOptions } from "../options/options.ts";
import type { Match } from "./plan.ts";

/** One user or group of the proxy. */
export interface ProxyOwner {
  readonly kind: "uid" | "gid";
  readonly is: Match;
  readonly isNot: Match;
}

/** In the order in which rules name them. */
export function proxyOwners({ proxyUids, proxyGids }: CaptureOptions): readonly ProxyOwner[] {
  const owner = (kind: "uid" | "gid", id: number): ProxyOwner => ({
    kind,
    is: { kind, id },
    isNot: { kind, id, not: true },
  });
  return [...proxyUids.map((id) => owner("uid", id)), ...proxyGids.map((id) => owner("gid", id))];
}
