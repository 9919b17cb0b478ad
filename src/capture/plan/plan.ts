/**
 * What traffic capture needs of the kernel, as data: rules in their order, and routes.
 */
import type { Family } from "../options/address.ts";

/** Tables of netfilter that have rules of ours. */
export type TableName = "mangle" | "nat" | "raw";

/** What a packet must be for a rule to apply; the order is the one in which iptables is told. */
export type Match =
  | { readonly kind: "protocol"; readonly protocol: "tcp" | "udp" }
  | { readonly kind: "in-interface" | "out-interface"; readonly name: string }
  | { readonly kind: "source" | "destination"; readonly cidr: string; readonly not?: true }
  | { readonly kind: "source-port" | "destination-port"; readonly port: number; readonly not?: true }
  /** None of these. */
  | { readonly kind: "other-destination-ports"; readonly ports: readonly number[] }
  /** Of the process that sends. */
  | { readonly kind: "uid" | "gid"; readonly id: number; readonly not?: true }
  | { readonly kind: "connection-state"; readonly states: readonly ("INVALID" | "RELATED" | "ESTABLISHED")[] }
  | { readonly kind: "mark"; readonly mark: number; readonly not?: true }
  | { readonly kind: "connection-mark"; readonly mark: number };

/** What becomes of it. */
export type Action =
  | { readonly kind: "jump"; readonly chain: string }
  /** Back to the chain that jumped here. */
  | { readonly kind: "return" | "accept" | "drop" }
  | { readonly kind: "redirect"; readonly port: number; readonly protocol: "tcp" | "udp" }
  /** To Envoy's socket, with addresses and ports as they are. */
  | { readonly kind: "tproxy"; readonly port: number; readonly mark: number }
  | { readonly kind: "set-mark"; readonly mark: number }
  /** The packet's mark to the connection, and back. */
  | { readonly kind: "save-mark" | "restore-mark" }
  | { readonly kind: "zone"; readonly zone: number };

/** One rule of one chain. */
export interface Rule {
  readonly table: TableName;
  /** One of the kernel's (`PREROUTING`, `OUTPUT`), or one of ours (`ISTIO_…`). */
  readonly chain: string;
  /** Goes in at this place, counted from 1, instead of at the end. */
  readonly at?: number;
  readonly matches: readonly Match[];
  readonly action: Action;
  /** Why there is such a rule, as half a sentence. */
  readonly because: string;
}

/** What routing needs so that packets of TPROXY, and Envoy's own to its pod, arrive. */
export type Route =
  /** Packets with this mark look into this routing table, … */
  | { readonly kind: "rule"; readonly mark: number; readonly table: number; readonly because: string }
  /** … in which every address is this machine. */
  | { readonly kind: "local-default"; readonly table: number; readonly because: string }
  /** An address of the loopback interface. */
  | { readonly kind: "address"; readonly address: string; readonly because: string };

/** Of one family. */
export interface FamilyPlan {
  readonly family: Family;
  readonly rules: readonly Rule[];
  readonly routes: readonly Route[];
}

/** All of it; no family means no rules at all. */
export type CapturePlan = readonly FamilyPlan[];

/** Our chains; every other one is somebody else's. */
export const chains = {
  inbound: "ISTIO_INBOUND",
  redirect: "ISTIO_REDIRECT",
  inRedirect: "ISTIO_IN_REDIRECT",
  output: "ISTIO_OUTPUT",
  dns: "ISTIO_OUTPUT_DNS",
  divert: "ISTIO_DIVERT",
  tproxy: "ISTIO_TPROXY",
  drop: "ISTIO_DROP",
} as const;

/** The kernel's own. */
export const builtIn = { prerouting: "PREROUTING", output: "OUTPUT" } as const;

/** Rules of one table, in the order of the plan. */
export function rulesOf({ rules }: Pick<FamilyPlan, "rules">, table: TableName): readonly Rule[] {
  return rules.filter((rule) => rule.table === table);
}

/** Our chains of one table: those with rules first, in the order of their first, then those that are only jumped to. */
export function chainsOf(rules: readonly Rule[]): readonly string[] {
  const named = [
    ...rules.map(({ chain }) => chain),
    ...rules.flatMap(({ action }) => (action.kind === "jump" ? [action.chain] : [])),
  ];
  return [...new Set(named)].filter((chain) => !isBuiltIn(chain));
}

/** True for a chain of the kernel's own. */
export function isBuiltIn(chain: string): boolean {
  return chain === builtIn.prerouting || chain === builtIn.output;
}

/** Rules as a chain holds them in the end, once each has gone in at its place. */
export function inPlace(rules: readonly Rule[]): readonly Rule[] {
  const held: Rule[] = [];
  for (const rule of rules) {
    if (rule.at === undefined) held.push(rule);
    else held.splice(rule.at - 1, 0, rule);
  }
  return held;
}
