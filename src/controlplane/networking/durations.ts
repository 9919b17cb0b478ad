/**
 * Istio's durations in the forms that Envoy has them.
 */
import { durationMs } from "../config/forms.ts";

/** Protobuf's JSON form of durations knows seconds only. */
export function jsonDuration(duration: string): string {
  return secondsOf(durationMs(duration) ?? 0);
}

/** The same from milliseconds. */
export function secondsOf(ms: number): string {
  return `${Number((ms / 1_000).toFixed(3))}s`;
}

/** Whole seconds, at least one. */
export function wholeSeconds(duration: string): number {
  return Math.max(1, Math.round((durationMs(duration) ?? 0) / 1_000));
}
