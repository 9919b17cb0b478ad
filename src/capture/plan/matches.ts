/** Short names for what rules are made of, so that a list of rules can be read as one. */
import type { Action, Match } from "./plan.ts";

/** Packets of TCP. */
export const tcp: Match = { kind: "protocol", protocol: "tcp" };
/** Packets of UDP. */
export const udp: Match = { kind: "protocol", protocol: "udp" };
/** What comes in by an interface. */
export const fromInterface = (name: string): Match => ({ kind: "in-interface", name });
/** What goes out by an interface. */
export const throughInterface = (name: string): Match => ({ kind: "out-interface", name });
/** What goes out by loopback. */
export const throughLoopback = throughInterface("lo");
/** From the addresses of a CIDR block. */
export const from = (cidr: string): Match => ({ kind: "source", cidr });
/** To the addresses of a CIDR block. */
export const to = (cidr: string): Match => ({ kind: "destination", cidr });
/** To none of its addresses. */
export const notTo = (cidr: string): Match => ({ kind: "destination", cidr, not: true });
/** From a port. */
export const fromPort = (port: number): Match => ({ kind: "source-port", port });
/** To a port. */
export const toPort = (port: number): Match => ({ kind: "destination-port", port });
/** To any other port. */
export const notToPort = (port: number): Match => ({ kind: "destination-port", port, not: true });
/** To none of several ports. */
export const notToPorts = (...ports: readonly number[]): Match => ({
  kind: "other-destination-ports",
  ports,
});
/** With a packet mark. */
export const marked = (mark: number): Match => ({ kind: "mark", mark });
/** Without that mark. */
export const notMarked = (mark: number): Match => ({ kind: "mark", mark, not: true });

/** Go on in another chain of ours, and come back. */
export const jump = (chain: string): Action => ({ kind: "jump", chain });
/** Leave the chain: the packet is not captured by it. */
export const back: Action = { kind: "return" };
