/**
 * Which rules a packet meets and where it ends: what netfilter does with the first packet of a connection, for the
 * matches and actions that capture has.
 */
import { overlaps, parseCidr } from "../options/address.ts";
import { builtIn, type Match, type TableName } from "../plan/plan.ts";
import type { Packet } from "./packet.ts";
import type { RuleTable, TracedRule } from "./rule-table.ts";

/** A rule that applies to the packet. */
export interface MetRule {
  readonly table: TableName;
  readonly chain: string;
  /** From 1. */
  readonly number: number;
  readonly rule: TracedRule;
}

/** Where a connection ends. */
export type Landing =
  /** On a port of this pod instead of where it was sent. */
  | { readonly kind: "redirected"; readonly port: number }
  /** On a port of this pod, with addresses and ports as they were. */
  | { readonly kind: "transparent"; readonly port: number }
  /** Where it was sent. */
  | { readonly kind: "as-sent" }
  | { readonly kind: "dropped" };

/** The way of one packet. */
export interface Trace {
  readonly met: readonly MetRule[];
  readonly landing: Landing;
  /** Rules of which it cannot be said whether they apply, or what they do: taken for rules that do not. */
  readonly unclear: readonly MetRule[];
}

/** In the order in which the kernel asks them. */
const order: readonly TableName[] = ["raw", "mangle", "nat"];

/** Jumps in jumps; the kernel has a limit too. */
const deepest = 16;

/** How a chain was left. */
type Leave = "returned" | "accepted" | Landing;

/** Walks through the tables, several of one name in their order. */
export function walk(tables: readonly RuleTable[], packet: Packet): Trace {
  const traveller = new Traveller(packet);
  const landing =
    packet.direction === "in"
      ? traveller.hook(tables, builtIn.prerouting, order)
      : (traveller.hook(tables, builtIn.output, order) ??
        // What stays in this machine comes in again, and is not translated twice.
        (packet.interface === "lo"
          ? traveller.hook(tables, builtIn.prerouting, ["raw", "mangle"])
          : undefined));
  return { met: traveller.met, landing: landing ?? { kind: "as-sent" }, unclear: traveller.unclear };
}

class Traveller {
  readonly met: MetRule[] = [];
  readonly unclear: MetRule[] = [];
  readonly #packet: Packet;
  #mark = 0;
  #connectionMark = 0;

  constructor(packet: Packet) {
    this.#packet = packet;
  }

  /** Undefined where nothing decides. */
  hook(tables: readonly RuleTable[], base: string, names: readonly TableName[]): Landing | undefined {
    for (const name of names) {
      for (const table of tables.filter((candidate) => candidate.table === name)) {
        const leave = this.#chain(table, base, base, 0);
        if (typeof leave === "object") return leave;
      }
    }
    return undefined;
  }

  #chain(table: RuleTable, name: string, base: string, depth: number): Leave {
    for (const [index, rule] of (table.chains.get(name) ?? []).entries()) {
      const place: MetRule = { table: table.table, chain: name, number: index + 1, rule };
      const applies = this.#applies(rule, base);
      if (applies === undefined) this.unclear.push(place);
      if (applies !== true) continue;
      this.met.push(place);
      const leave = this.#act(table, place, base, depth);
      if (leave !== undefined) return leave;
    }
    return "returned";
  }

  /** Undefined goes on with the next rule. */
  #act(table: RuleTable, place: MetRule, base: string, depth: number): Leave | undefined {
    const { action } = place.rule;
    switch (action?.kind) {
      case "jump": {
        const leave = depth < deepest ? this.#chain(table, action.chain, base, depth + 1) : "returned";
        return leave === "returned" ? undefined : leave;
      }
      case "return":
        return "returned";
      case "accept":
        return "accepted";
      case "drop":
        return { kind: "dropped" };
      case "redirect":
        return { kind: "redirected", port: action.port };
      case "tproxy":
        return { kind: "transparent", port: action.port };
      case "set-mark":
        this.#mark = action.mark;
        return undefined;
      case "save-mark":
        this.#connectionMark = this.#mark;
        return undefined;
      case "restore-mark":
        this.#mark = this.#connectionMark;
        return undefined;
      case "foreign":
        this.unclear.push(place);
        return undefined;
      case "zone":
      case undefined:
        return undefined;
    }
  }

  #applies({ matches }: TracedRule, base: string): boolean | undefined {
    const answers = matches.map((match) => (match.kind === "foreign" ? undefined : this.#fits(match, base)));
    return answers.includes(false) ? false : answers.includes(undefined) ? undefined : true;
  }

  #fits(match: Match, base: string): boolean | undefined {
    const packet = this.#packet;
    const equals = <T>(seen: T | undefined, wanted: T): boolean | undefined => {
      if (seen === undefined) return undefined;
      return (seen === wanted) !== "not" in match;
    };
    switch (match.kind) {
      case "protocol":
        return packet.protocol === match.protocol;
      case "in-interface":
        return base === builtIn.prerouting ? isInterface(packet.interface, match.name) : false;
      case "out-interface":
        return base === builtIn.output ? isInterface(packet.interface, match.name) : false;
      case "source":
        return isIn(packet.source, match.cidr) !== (match.not === true);
      case "destination":
        return isIn(packet.destination, match.cidr) !== (match.not === true);
      case "source-port":
        return equals(packet.sourcePort ?? 0, match.port);
      case "destination-port":
        return equals(packet.destinationPort, match.port);
      case "other-destination-ports":
        return !match.ports.includes(packet.destinationPort);
      case "uid":
      case "gid":
        // What has no owner fits neither an owner nor any other, and what comes in has none.
        return packet.direction === "in" ? false : equals(packet[match.kind], match.id);
      case "connection-state":
        return false;
      case "mark":
        return equals(this.#mark, match.mark);
      case "connection-mark":
        return equals(this.#connectionMark, match.mark);
    }
  }
}

function isInterface(name: string | undefined, pattern: string): boolean | undefined {
  if (name === undefined) return undefined;
  return pattern.endsWith("+") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function isIn(address: string, cidr: string): boolean {
  const [one, other] = [parseCidr(address), parseCidr(cidr)];
  return one !== undefined && other !== undefined && overlaps(one, other);
}
