/** Interfaces that are not captured, and those of virtual machines, whose traffic is outbound. */
import type { CaptureOptions } from "../options/options.ts";
import { back, fromInterface, jump, throughInterface } from "./matches.ts";
import { builtIn, chains, type Rule } from "./plan.ts";

/** First of all rules. */
export function excludedInterfaces({ interfacesExcluded, inboundMode }: CaptureOptions): readonly Rule[] {
  return interfacesExcluded.flatMap((name): Rule[] => {
    const because = `${name} is excluded`;
    const tables = inboundMode === "TPROXY" ? (["nat", "mangle"] as const) : (["nat"] as const);
    return tables.flatMap((table): Rule[] => [
      { table, chain: builtIn.prerouting, matches: [fromInterface(name)], action: back, because },
      { table, chain: builtIn.output, matches: [throughInterface(name)], action: back, because },
    ]);
  });
}

/** What comes from a virtual machine and is not captured as outbound is left alone. */
export function virtualInterfaces({ virtualInterfaces: names }: CaptureOptions): readonly Rule[] {
  return names.map((name) => ({
    table: "nat",
    chain: builtIn.prerouting,
    at: 1,
    matches: [fromInterface(name)],
    action: back,
    because: `what ${name} brings is not inbound to this pod`,
  }));
}

/** Packets of no connection that the kernel knows: its answer to them, a reset, would reach the caller. */
export function dropInvalid({ dropInvalid: isOn }: CaptureOptions): readonly Rule[] {
  if (!isOn) return [];
  return [
    {
      table: "mangle",
      chain: builtIn.prerouting,
      matches: [{ kind: "connection-state", states: ["INVALID"] }],
      action: jump(chains.drop),
      because: "a packet out of order must not end its connection with a reset",
    },
    { table: "mangle", chain: chains.drop, matches: [], action: { kind: "drop" }, because: "it is invalid" },
  ];
}
