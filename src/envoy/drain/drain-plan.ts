/**
 * When a drain begins and when it is over, decided from times, counts and what has been asked so far.
 *
 * A stop has more than one reason in the course of its time, and none is forgotten: the plan is made anew from all of
 * them, and one more reason never makes it longer.
 */
import type { EnvoyOptions } from "../generation/options.ts";

/** The settings that a drain goes by. */
export type DrainOptions = Pick<
  EnvoyOptions,
  | "preDrainDelayMs"
  | "exitOnZeroActiveConnections"
  | "minimumDrainDurationMs"
  | "maximumDrainDurationMs"
  | "terminationDrainDurationMs"
>;

/** What is known of a stop so far. */
export interface StopFacts {
  /** It was ready; one that was merely LIVE has only those to serve who are connected. */
  readonly wasReady: boolean;
  /** The application asked for the stop, or is gone. */
  readonly applicationEnded: boolean;
}

/** Limits of one drain, in milliseconds from its begin. */
export interface DrainPlan {
  /** Envoy serves on for this long before the drain begins, while readiness is red already. */
  readonly preDrainDelayMs: number;
  /** It may end once no connection is left, but not before `minimumMs`. */
  readonly endsAtZero: boolean;
  /** Whether the connections of listeners that do not drain are among those that it waits for. */
  readonly countsOutbound: boolean;
  readonly minimumMs: number;
  /** Undefined: only `endsAtZero` ends it. */
  readonly maximumMs: number | undefined;
  /** No operator has set a limit: an Envoy that is silent for long ends it. */
  readonly endsOnSilence: boolean;
  /** Takes the place of `maximumMs` when Envoy does not keep the statistics that `endsAtZero` needs. */
  readonly maximumWithoutCountsMs: number;
}

/**
 * The drain for a stop of which this is known.
 *
 * Once the application has ended there is nobody to serve but who is connected: no delay, and idle connections must
 * not keep a Job from finishing, so `terminationDrainDuration` bounds it.
 */
export function planDrain(options: DrainOptions, { wasReady, applicationEnded }: StopFacts): DrainPlan {
  const { terminationDrainDurationMs: fixedMs, exitOnZeroActiveConnections: isAtZero } = options;
  const isIdle = applicationEnded || !wasReady;
  const preDrainDelayMs = isIdle ? 0 : options.preDrainDelayMs;
  if (!isAtZero) {
    return {
      preDrainDelayMs,
      endsAtZero: isIdle,
      countsOutbound: true,
      minimumMs: isIdle ? 0 : fixedMs,
      maximumMs: fixedMs,
      endsOnSilence: false,
      maximumWithoutCountsMs: fixedMs,
    };
  }
  const minimumMs = wasReady ? options.minimumDrainDurationMs : 0;
  const maximumMs = options.maximumDrainDurationMs;
  const boundedMs = Math.max(minimumMs, Math.min(fixedMs, maximumMs ?? Infinity));
  return {
    preDrainDelayMs,
    endsAtZero: true,
    countsOutbound: !wasReady,
    minimumMs,
    maximumMs: applicationEnded ? boundedMs : maximumMs,
    endsOnSilence: maximumMs === undefined,
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

/** What the polls so far amount to; times in milliseconds from the drain's begin. */
export interface DrainProgress {
  /** When the last poll was asked, if it found no connection. */
  readonly noneAtMs: number | undefined;
  readonly countsKept: boolean;
  /** Since when Envoy has not answered; undefined while it does. */
  readonly silentSinceMs: number | undefined;
}

/** Before the first poll. */
export const drainBegun: DrainProgress = { noneAtMs: undefined, countsKept: true, silentSinceMs: 0 };

/** Between two polls, in milliseconds. */
const pollMs = 1_000;

/** How long to wait before the next poll: one is due when the minimum is over, as Istio has it. */
export function nextPollMs({ minimumMs }: DrainPlan, elapsedMs: number): number {
  return elapsedMs < minimumMs ? Math.min(pollMs, Math.ceil(minimumMs - elapsedMs)) : pollMs;
}

/**
 * How long Envoy may be silent before a drain without a limit of its own gives up on it, in milliseconds: twice
 * the time that Kubernetes gives a pod.
 */
export const silenceLimitMs = 60_000;

/**
 * Take one more poll into account. What is unknown counts as connections: an error never shortens a drain.
 *
 * @param askedAtMs when it was asked: a connection may have been opened since
 */
export function afterPoll(progress: DrainProgress, count: ConnectionCount, askedAtMs: number): DrainProgress {
  switch (count.kind) {
    case "counted":
      return {
        noneAtMs: count.connections === 0 ? askedAtMs : undefined,
        countsKept: true,
        silentSinceMs: undefined,
      };
    case "not-kept":
      return { noneAtMs: undefined, countsKept: false, silentSinceMs: undefined };
    case "unknown":
      return { ...progress, noneAtMs: undefined, silentSinceMs: progress.silentSinceMs ?? askedAtMs };
  }
}

/** Why a drain is over, in words for the log; undefined while it is not. */
export function drainEnd(plan: DrainPlan, progress: DrainProgress, elapsedMs: number): string | undefined {
  if (elapsedMs < plan.minimumMs) return undefined;
  const { noneAtMs, countsKept, silentSinceMs } = progress;
  if (plan.endsAtZero && noneAtMs !== undefined && noneAtMs >= plan.minimumMs) return "no connection is left";
  const maximumMs = countsKept ? plan.maximumMs : plan.maximumWithoutCountsMs;
  if (maximumMs !== undefined && elapsedMs >= maximumMs) return "its time is over";
  const silentMs = silentSinceMs === undefined ? 0 : elapsedMs - silentSinceMs;
  return plan.endsOnSilence && silentMs >= silenceLimitMs ? "Envoy does not answer any more" : undefined;
}
