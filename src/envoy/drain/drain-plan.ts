/**
 * When a drain begins and when it is over, decided from times and counts alone.
 */
import type { EnvoyOptions } from "../options.ts";

/** The reason of a stop that follows the application's end: it asked for it, or it is gone. */
export class ApplicationEnded extends Error {
  override readonly name = "ApplicationEnded";
}

/** Limits of one drain, in milliseconds from its begin. */
export interface DrainPlan {
  /** Envoy serves on for this long before the drain begins, while readiness is red already. */
  readonly preDrainDelayMs: number;
  /** It may end once no connection is left, but not before `minimumMs`. */
  readonly endsAtZero: boolean;
  readonly minimumMs: number;
  /** Undefined: only `endsAtZero` ends it. */
  readonly maximumMs: number | undefined;
  /** Takes the place of `maximumMs` when Envoy does not keep the statistics that `endsAtZero` needs. */
  readonly maximumWithoutCountsMs: number;
}

/**
 * The drain for a stop with `reason`.
 *
 * Once the application has ended there is nobody to serve: no delay, and idle connections must not keep a Job
 * from finishing, so `terminationDrainDuration` bounds it.
 */
export function planDrain(
  options: Pick<
    EnvoyOptions,
    | "preDrainDelayMs"
    | "exitOnZeroActiveConnections"
    | "minimumDrainDurationMs"
    | "maximumDrainDurationMs"
    | "terminationDrainDurationMs"
  >,
  reason: unknown,
): DrainPlan {
  const applicationEnded = reason instanceof ApplicationEnded;
  const preDrainDelayMs = applicationEnded ? 0 : options.preDrainDelayMs;
  const { terminationDrainDurationMs: fixedMs, minimumDrainDurationMs: minimumMs } = options;
  if (!options.exitOnZeroActiveConnections) {
    return {
      preDrainDelayMs,
      endsAtZero: false,
      minimumMs: fixedMs,
      maximumMs: fixedMs,
      maximumWithoutCountsMs: fixedMs,
    };
  }
  const boundedMs = Math.max(minimumMs, fixedMs);
  return {
    preDrainDelayMs,
    endsAtZero: true,
    minimumMs,
    maximumMs: applicationEnded ? boundedMs : options.maximumDrainDurationMs,
    maximumWithoutCountsMs: boundedMs,
  };
}

/** What one poll of Envoy's connections gave. */
export type ConnectionCount =
  | { readonly kind: "counted"; readonly connections: number }
  /** Envoy answered, but keeps no such statistics. */
  | { readonly kind: "not-kept" }
  /** Envoy did not answer. */
  | { readonly kind: "unknown" };

/** What the polls so far amount to. */
export interface DrainProgress {
  /** Polls in a row, up to the last one, that found no connection. */
  readonly zeroPolls: number;
  readonly countsKept: boolean;
  /** Since when Envoy has not answered, in milliseconds from the drain's begin; undefined while it does. */
  readonly silentSinceMs: number | undefined;
}

/** Before the first poll. */
export const drainBegun: DrainProgress = { zeroPolls: 0, countsKept: true, silentSinceMs: 0 };

/** Polls in a row that must find no connection: between two requests of a client there may be none either. */
export const zeroPollsToEnd = 3;

/**
 * How long Envoy may be silent before a drain without a limit of its own gives up on it, in milliseconds: twice
 * the time that Kubernetes gives a pod.
 */
export const silenceLimitMs = 60_000;

/** Take one more poll into account. What is unknown counts as connections: an error never shortens a drain. */
export function afterPoll(progress: DrainProgress, count: ConnectionCount, elapsedMs: number): DrainProgress {
  switch (count.kind) {
    case "counted":
      return {
        zeroPolls: count.connections === 0 ? progress.zeroPolls + 1 : 0,
        countsKept: true,
        silentSinceMs: undefined,
      };
    case "not-kept":
      return { zeroPolls: 0, countsKept: false, silentSinceMs: undefined };
    case "unknown":
      return { ...progress, zeroPolls: 0, silentSinceMs: progress.silentSinceMs ?? elapsedMs };
  }
}

/** Why a drain is over, in words for the log; undefined while it is not. */
export function drainEnd(plan: DrainPlan, progress: DrainProgress, elapsedMs: number): string | undefined {
  if (elapsedMs < plan.minimumMs) return undefined;
  if (plan.endsAtZero && progress.zeroPolls >= zeroPollsToEnd) return "no connection is left";
  const maximumMs = progress.countsKept ? plan.maximumMs : plan.maximumWithoutCountsMs;
  if (maximumMs !== undefined) return elapsedMs >= maximumMs ? "its time is over" : undefined;
  const silentMs = progress.silentSinceMs === undefined ? 0 : elapsedMs - progress.silentSinceMs;
  return silentMs >= silenceLimitMs ? "Envoy does not answer any more" : undefined;
}
