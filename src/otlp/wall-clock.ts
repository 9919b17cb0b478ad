/** Times as OTLP has them. */
import type { HrTime } from "@opentelemetry/api";
import { millisToHrTime } from "@opentelemetry/core";

/** Moments of the monotonic clock on the wall clock, as that is now: it may be set while the process runs. */
export function wallClock(): (monotonicMs: number) => HrTime {
  const offsetMs = new Date().getTime() - performance.now();
  return (monotonicMs) => millisToHrTime(offsetMs + monotonicMs);
}
