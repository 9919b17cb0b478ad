/** A packet's way, in words. */
import { actionWords, capitalised, whose } from "../render/explanation.ts";
import type { Packet } from "./packet.ts";
import type { Foreign, TracedRule } from "./rule-table.ts";
import type { Landing, MetRule, Trace } from "./walk.ts";

/** One line for the packet. */
export function packetWords({
  direction,
  protocol,
  source,
  destination,
  destinationPort,
  ...packet
}: Packet): string {
  const through =
    packet.interface === undefined ? "" : ` ${direction === "out" ? "through" : "by"} ${packet.interface}`;
  const owner = direction === "out" ? `, of user ${packet.uid ?? "?"} and group ${packet.gid ?? "?"}` : "";
  return `${protocol.toUpperCase()} from ${source} to ${destination} port ${destinationPort}${through}${owner}`;
}

/** One line for each rule that is met, and for each that is not understood. */
export function traceLines({ met, unclear }: Trace): readonly string[] {
  return [
    ...(met.length === 0 ? ["no rule applies"] : met.map(ruleWords)),
    ...unclear.map((rule) => `not known whether: ${ruleWords(rule)}`),
  ];
}

/** Where it ends. */
export function landingWords(landing: Landing): string {
  switch (landing.kind) {
    case "redirected":
      return `lands on port ${landing.port} of this pod`;
    case "transparent":
      return `lands on port ${landing.port} of this pod, with addresses and ports as they were`;
    case "as-sent":
      return "is not captured: it goes where it was sent";
    case "dropped":
      return "is dropped";
  }
}

function ruleWords({ table, chain, number, rule }: MetRule): string {
  return `${table} ${chain} ${number}: ${doing(rule)}`;
}

function doing({ matches, action, because }: TracedRule): string {
  const own = matches.filter((match) => match.kind !== "foreign");
  const foreign = matches.filter((match): match is Foreign => match.kind === "foreign");
  const which = [capitalised(whose(own)), ...foreign.map(({ text }) => `with ${text}`)].join(" ");
  const what =
    action === undefined
      ? "is counted"
      : action.kind === "foreign"
        ? `gets ${action.text}`
        : actionWords(action);
  const why = because === undefined ? "" : `: ${because}`;
  return `${which} ${what}${why}.`;
}
