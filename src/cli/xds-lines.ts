/**
 * Exchanges with the control plane as lines for people.
 */
import { shortType } from "../xds/type-urls.ts";
import type { RefusalReport } from "../status/contract/agent-report.ts";
import type { Exchange } from "../xdsproxy/report/recorder.ts";

/** Which exchanges to show. */
export interface ExchangeFilter {
  /** Part of the type's URL, in either case; undefined for all types. */
  readonly type: string | undefined;
  readonly nacksOnly: boolean;
}

/** Names in a line. */
const namesInLine = 3;

/** Those that are wanted, in their order. */
export function selectExchanges(
  exchanges: readonly Exchange[],
  { type, nacksOnly }: ExchangeFilter,
): readonly Exchange[] {
  const part = type?.toLowerCase();
  return exchanges.filter(
    ({ typeUrl, outcome }) =>
      (part === undefined || typeUrl.toLowerCase().includes(part)) && (!nacksOnly || outcome === "nacked"),
  );
}

/** One line: time, stream, type, outcome with its latency, what it held, and Envoy's words of refusal. */
export function exchangeLine(exchange: Exchange): string {
  const { at, stream, typeUrl, outcome, latencyMs, version, resources, bytes, removed, source } = exchange;
  const latency = latencyMs === undefined ? "" : ` ${latencyMs} ms`;
  const parts = [
    at,
    `stream ${stream}`,
    shortType(typeUrl),
    `${outcome.toUpperCase()}${latency}`,
    `version ${JSON.stringify(version)}`,
    `${resources} ${resources === 1 ? "resource" : "resources"}, ${bytes} bytes${listed(exchange.names, resources)}`,
    ...(removed.length === 0 ? [] : [`removed${listed(removed, removed.length)}`]),
    ...(source === "control plane" ? [] : [`from the ${source}`]),
    ...(exchange.error === undefined ? [] : [exchange.error]),
  ];
  return parts.join("  ");
}

/** One line for what Envoy refuses now: type, name, since when, what serves in its place, and Envoy's words. */
export function refusalLine({ typeUrl, name, since, serves, reason }: RefusalReport): string {
  const what = serves === "nothing" ? "nothing serves in its place" : "the last accepted one serves";
  const type = shortType(typeUrl);
  return ["refused now", type, name, `since ${since}`, what, reason.trim().replaceAll(/\s+/g, " ")].join(
    "  ",
  );
}

function listed(names: readonly string[], count: number): string {
  if (names.length === 0) return "";
  const shown = names.slice(0, namesInLine);
  return `: ${shown.join(", ")}${count > shown.length ? ` and ${count - shown.length} more` : ""}`;
}
