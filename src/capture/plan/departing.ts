/**
 * Rules for connections that outlive TPROXY: those that Envoy has made to the application with their callers' addresses,
 * whose answers find back to it by their mark alone.
 */
import { back, marked, tcp, throughLoopback } from "./matches.ts";
import { type Action, builtIn, type CapturePlan, chains, type Match, type Rule } from "./plan.ts";

/** The plan, and what connections with these marks need until their end; nothing new gets such a mark by it. */
export function withDeparting(plan: CapturePlan, marks: readonly number[]): CapturePlan {
  return plan.map((family) => ({ ...family, rules: [...family.rules, ...marks.flatMap(departing)] }));
}

function departing(mark: number): readonly Rule[] {
  const because = "connections of the TPROXY before go on to their end";
  const first = { at: 1, because };
  const mangle = (chain: string, matches: readonly Match[], action: Action): Rule => ({
    ...{ table: "mangle", chain, matches, action, because },
  });
  return [
    {
      table: "nat",
      chain: chains.output,
      ...first,
      matches: [tcp, throughLoopback, marked(mark)],
      action: back,
    },
    mangle(builtIn.prerouting, [tcp, marked(mark)], { kind: "save-mark" }),
    mangle(builtIn.output, [tcp, { kind: "connection-mark", mark }], { kind: "restore-mark" }),
  ];
}
