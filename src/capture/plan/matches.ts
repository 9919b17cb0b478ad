/** Short names for what rules are made of, so that a list of rules can be read as one. */
import type { Action, Match } from "./plan.ts";

export const tcp: Match = { kind: "protocol", protocol: "tcp" };
export const udp: Match = { kind: "protocol", protocol: "udp" };
export const fromInterface = (name: string): Match => ({ kind: "in-interface", name });
export const throughInterface = (name: string): Match => ({ kind: "out-interface", name });
export const throughLoopback = throughInterface("lo");
export const from = (cidr: string): Match => ({ kind: "source", cidr });
export const to = (cidr: string): Match => ({ kind: "destination", cidr });
export const notTo = (cidr: string): Match => ({ kind: "destination", cidr, not: true });
export const fromPort = (port: number): Match => ({ kind: "source-port", port });
export const toPort = (port: number): Match => ({ kind: "destination-port", port });
export const notToPort = (port: number): Match => ({ kind: "destination-port", port, not: true });
export const notToPorts = (...ports: readonly number[]): Match => ({
  kind: "other-destination-ports",
  ports,
});
export const marked = (mark: number): Match => ({ kind: "mark", mark });
export const notMarked = (mark: number): Match => ({ kind: "mark", mark, not: true });

export const jump = (chain: string): Action => ({ kind: "jump", chain });
export const back: Action = { kind: "return" };
