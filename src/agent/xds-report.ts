/**
 * The connection to the control plane in the agent's report, and in words.
 */
import { fileAgeMs } from "../lifecycle/wall-clock.ts";
import type { RefusalReport, XdsReport } from "../status/contract/agent-report.ts";
import { describeRefused, type Refusal } from "../xdsproxy/report/refusal.ts";
import type { XdsState } from "../xdsproxy/report/state.ts";

/** What there is of it. */
export function xdsReport(xds: XdsState): XdsReport {
  const stale = staleness(xds);
  return {
    state: xds.kind,
    address: xds.address,
    ...(xds.problem === undefined ? {} : { problem: xds.problem }),
    ...(stale === undefined ? {} : { stale }),
    ...(xds.refused.length === 0 ? {} : { refused: xds.refused.map(refusalReport) }),
  };
}

/** Undefined unless Envoy is served from the cache. */
export function staleNote(xds: XdsState): string | undefined {
  const stale = staleness(xds);
  return stale === undefined
    ? undefined
    : `stale: configuration of ${stale.ageSeconds} s ago, from the cache`;
}

/** The first of what Envoy refuses, as the whole may be long. */
export function refusalNote({ refused }: XdsState): string | undefined {
  const [first] = refused;
  if (first === undefined) return undefined;
  const more = refused.length === 1 ? "" : `, and ${refused.length - 1} more`;
  const serves = first.serves === "nothing" ? "nothing serves in its place" : "the last accepted one serves";
  const prefix = refused.some(({ serves: what }) => what === "last accepted") ? "stale: " : "";
  return `${prefix}${describeRefused(first)} since ${first.since.toISOString()}: ${serves}${more}`;
}

function refusalReport({ typeUrl, name, reason, since, serves }: Refusal): RefusalReport {
  return { typeUrl, name, reason, since: since.toISOString(), serves };
}

function staleness({ kind, asOf }: XdsState): XdsReport["stale"] {
  if (kind !== "stale" || asOf === undefined) return undefined;
  return { asOf: asOf.toISOString(), ageSeconds: Math.round(fileAgeMs(asOf.getTime()) / 1_000) };
}
