/** Rules of our tables as nft(8) lists them, back to what they say. */
import { parseCidr } from "../options/address.ts";
import type { Action, Match, TableName } from "../plan/plan.ts";
import { nftTable } from "../render/nft.ts";
import { tableNames } from "../render/iptables.ts";
import type { Family } from "../options/address.ts";
import type { Foreign, RuleTable, TracedRule } from "./rule-table.ts";

/** @param lines what `nft list table` says of our tables, one after the other */
export function parseNftTables(lines: readonly string[], family: Family): readonly RuleTable[] {
  const tables = new Map<TableName, Map<string, TracedRule[]>>();
  let chains: Map<string, TracedRule[]> | undefined;
  let rules: TracedRule[] | undefined;
  for (const line of lines) {
    const [, ipFamily, tableName] = /^table (ip6?) (\S+) \{$/.exec(line) ?? [];
    const [, chain] = /^chain (\S+) \{$/.exec(line) ?? [];
    if (tableName !== undefined) {
      const table = tableNames.find((name) => nftTable(name) === tableName);
      chains = undefined;
      if (table !== undefined && ipFamily === (family === "ipv4" ? "ip" : "ip6"))
        tables.set(table, (chains = new Map()));
    } else if (chain !== undefined) chains?.set(chain, (rules = []));
    else if (line !== "}" && !line.startsWith("type ")) rules?.push(parseNftRule(line));
  }
  return [...tables].map(([table, held]) => ({ table, chains: held }));
}

type Found = Match | Foreign;

/** What a statement looks like, and what it says; each is tried at the start of what is left of the line. */
const matchForms: readonly (readonly [
  form: RegExp,
  read: (not: { not?: true }, value: string, word: string) => Found,
])[] = [
  [/^meta l4proto (?<value>tcp|udp)/, (_, value) => ({ kind: "protocol", protocol: value as "tcp" | "udp" })],
  [
    /^(?<word>[io])ifname "(?<value>[^"]+)"/,
    (_, value, word) => ({
      kind: word === "i" ? "in-interface" : "out-interface",
      name: value.replace(/\*$/, "+"),
    }),
  ],
  [
    /^ip6? (?<word>[sd])addr (?<not>!= )?(?<value>[\da-f:./]+)/,
    (not, value, word) => ({
      kind: word === "s" ? "source" : "destination",
      cidr: parseCidr(value)?.text ?? value,
      ...not,
    }),
  ],
  [
    /^(?:tcp|udp) (?<word>[sd])port (?<not>!= )?(?<value>\d+)/,
    (not, value, word) => ({
      kind: word === "s" ? "source-port" : "destination-port",
      port: Number(value),
      ...not,
    }),
  ],
  [
    /^(?:tcp|udp) dport != \{ (?<value>[\d, ]+) \}/,
    (_, value) => ({
      kind: "other-destination-ports",
      ports: value.split(",").map(Number),
    }),
  ],
  [
    /^meta sk(?<word>[ug])id (?<not>!= )?(?<value>\d+)/,
    (not, value, word) => ({
      kind: word === "u" ? "uid" : "gid",
      id: Number(value),
      ...not,
    }),
  ],
  [
    /^ct state (?<value>[a-z,]+)/,
    (_, value) => ({
      kind: "connection-state",
      states: value.toUpperCase().split(",") as ("INVALID" | "RELATED" | "ESTABLISHED")[],
    }),
  ],
  [
    /^meta mark (?<not>!= )?(?<value>0x[\da-f]+|\d+)/,
    (not, value) => ({ kind: "mark", mark: Number(value), ...not }),
  ],
  [/^ct mark (?<value>0x[\da-f]+|\d+)/, (_, value) => ({ kind: "connection-mark", mark: Number(value) })],
];

const actionForms: readonly (readonly [form: RegExp, read: (value: string) => Action])[] = [
  [/^jump (\S+)$/, (chain) => ({ kind: "jump", chain })],
  [/^(return|accept|drop)$/, (kind) => ({ kind: kind as "return" | "accept" | "drop" })],
  [/^redirect to :(\d+)$/, (port) => ({ kind: "redirect", port: Number(port), protocol: "tcp" })],
  [
    /^tproxy to :(\d+) meta mark set \S+ accept$/,
    (port) => ({ kind: "tproxy", port: Number(port), mark: 0 }),
  ],
  [/^ct mark set meta mark$/, () => ({ kind: "save-mark" })],
  [/^meta mark set ct mark$/, () => ({ kind: "restore-mark" })],
  [/^meta mark set (0x[\da-f]+|\d+)$/, (mark) => ({ kind: "set-mark", mark: Number(mark) })],
  [/^ct zone set (\d+)$/, (zone) => ({ kind: "zone", zone: Number(zone) })],
];

function parseNftRule(line: string): TracedRule {
  const matches: Found[] = [];
  let rest = line;
  for (;;) {
    const action = firstOf(actionForms, rest, ([, read], found) => read(found[1] ?? ""));
    if (action !== undefined) return { matches: withProtocol(matches, line), action };
    const match = firstOf(matchForms, rest, ([, read], found) => {
      const { not, value = "", word = "" } = found.groups ?? {};
      rest = rest.slice(found[0].length).trimStart();
      return read(not === undefined ? {} : { not: true }, value, word);
    });
    if (match === undefined) return { matches, action: { kind: "foreign", text: rest } };
    matches.push(match);
  }
}

/** A port is of a protocol, which nft then does not say again. */
function withProtocol(matches: readonly Found[], line: string): readonly Found[] {
  const [, protocol] = /\b(tcp|udp) [sd]port /.exec(line) ?? [];
  if (protocol === undefined || matches.some(({ kind }) => kind === "protocol")) return matches;
  return [{ kind: "protocol", protocol: protocol as "tcp" | "udp" }, ...matches];
}

function firstOf<Form extends readonly [RegExp, unknown], T>(
  forms: readonly Form[],
  text: string,
  read: (form: Form, found: RegExpExecArray) => T,
): T | undefined {
  for (const form of forms) {
    const found = form[0].exec(text);
    if (found !== null) return read(form, found);
  }
  return undefined;
}
