/**
 * What two looks at an Envoy say of the time between them. Pure.
 */
import type { Bin, Count, Flow, Look } from "./traffic.ts";

/** Requests of one direction. */
export interface Traffic {
  readonly requestsPerSecond: number;
  /** From 0 to 1; undefined where there was no request. */
  readonly errorShare: number | undefined;
  /** In milliseconds; undefined where there was no request, or Envoy keeps no latencies. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

/** Both directions. */
export interface Rates {
  readonly inbound: Traffic;
  readonly outbound: Traffic;
}

/**
 * Undefined where they are not of the same Envoy, or count by different means: nothing can be said of that time, and the
 * second look is where the next time begins.
 */
export function ratesBetween(before: Look, after: Look): Rates | undefined {
  const seconds = (after.atMs - before.atMs) / 1_000;
  const isSame =
    after.uptimeSeconds >= before.uptimeSeconds &&
    after.hotRestartGeneration === before.hotRestartGeneration &&
    after.countedBy === before.countedBy;
  if (!isSame || seconds <= 0) return undefined;
  return {
    inbound: trafficBetween(before.inbound, after.inbound, seconds),
    outbound: trafficBetween(before.outbound, after.outbound, seconds),
  };
}

function trafficBetween(before: Flow, after: Flow, seconds: number): Traffic {
  let requests = 0;
  let errors = 0;
  for (const [key, now] of after.counts) {
    const since = sinceBefore(before.counts.get(key), now);
    requests += since.requests;
    errors += since.errors;
  }
  return {
    requestsPerSecond: requests / seconds,
    errorShare: requests === 0 ? undefined : Math.min(1, errors / requests),
    p50Ms: percentileOf(after.latencies ?? [], 0.5),
    p99Ms: percentileOf(after.latencies ?? [], 0.99),
  };
}

/** What is less than before has begun anew, and what was not there has begun since: an endpoint that went and came. */
function sinceBefore(before: Count | undefined, now: Count): Count {
  if (before === undefined || now.requests < before.requests || now.errors < before.errors) return now;
  return { requests: now.requests - before.requests, errors: now.errors - before.errors };
}

/** The duration below which a share of what is in the bins lies, taken as spread evenly within a bin. */
export function percentileOf(bins: readonly Bin[], share: number): number | undefined {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return undefined;
  const wanted = share * total;
  let below = 0;
  for (const { from, width, count } of bins.toSorted((a, b) => a.from - b.from)) {
    if (count > 0 && below + count >= wanted) return from + (width * (wanted - below)) / count;
    below += count;
  }
  return undefined;
}
