/** The first packet of a connection, as rules see it. */
import type { Family } from "../options/address.ts";

/** Undefined is what cannot be known: a rule that asks for it is unclear. */
export interface Packet {
  /** Sent by a process of this pod, or come in from outside. */
  readonly direction: "out" | "in";
  readonly family: Family;
  readonly protocol: "tcp" | "udp";
  readonly source: string;
  readonly destination: string;
  /** Undefined where the kernel is yet to choose it. */
  readonly sourcePort: number | undefined;
  readonly destinationPort: number;
  /** Through which it goes out or comes in. */
  readonly interface: string | undefined;
  /** Of the process that sends; undefined for what comes in. */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}
