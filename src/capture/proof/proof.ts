/** Which connection proves that a plan's rules are in force, as Istio's `--run-validation` has it. */
import type { Family } from "../options/address.ts";
import type { CapturePlan } from "../plan/plan.ts";
import { plannedTables } from "../trace/rule-table.ts";
import { walk } from "../trace/walk.ts";

/** Whoever makes the connection. */
export interface ProofUser {
  readonly uid: number;
  readonly gid: number;
}

/** A connection and where it must end. */
export interface Proof {
  readonly family: Family;
  readonly from: string | undefined;
  readonly to: string;
  readonly port: number;
  /** The port of Envoy that gets it. */
  readonly landsOn: number;
}

/** Envoy's port listens here, so that nobody else is asked. */
export const loopbacks: Readonly<Record<Family, string>> = { ipv4: "127.0.0.1", ipv6: "::1" };

/** Istio's passthrough addresses: a call of the proxy to one of them is inbound to this pod. */
const passthroughs: Readonly<Record<Family, string>> = { ipv4: "127.0.0.6", ipv6: "::6" };

/** Addresses for documentation (RFC 5737, RFC 3849), which are nobody's. */
const elsewhere: Readonly<Record<Family, string>> = { ipv4: "192.0.2.1", ipv6: "2001:db8::1" };

/**
 * One for each family of the plan, if there is any that this user can make: the proxy's own call into its pod, else a
 * call to another pod.
 */
export function proofsOf(plan: CapturePlan, { uid, gid }: ProofUser, port: number): readonly Proof[] {
  return plan.flatMap(({ family, rules }): readonly Proof[] => {
    const tables = plannedTables({ rules });
    const candidates = [
      { from: loopbacks[family], to: passthroughs[family], interface: "lo" },
      { from: undefined, to: elsewhere[family], interface: undefined },
    ];
    for (const { from, to, interface: through } of candidates) {
      const { landing } = walk(tables, {
        direction: "out",
        family,
        protocol: "tcp",
        source: from ?? "",
        destination: to,
        sourcePort: undefined,
        destinationPort: port,
        interface: through,
        uid,
        gid,
      });
      if (landing.kind === "redirected") return [{ family, from, to, port, landsOn: landing.port }];
    }
    return [];
  });
}
