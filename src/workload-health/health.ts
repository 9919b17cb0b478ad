/**
 * From the results of checks to the workload's health. Pure.
 */
import type { HealthThresholds } from "./options.ts";
import type { ProbeResult } from "../probe/method.ts";

/** The health as it was last decided; `unknown` until the first threshold is reached. */
export type WorkloadHealth =
  | { readonly kind: "unknown" }
  | { readonly kind: "healthy"; readonly since: Date }
  /** `reason` is what the check said that decided it. */
  | { readonly kind: "unhealthy"; readonly since: Date; readonly reason: string };

/** The health, and the checks in a row that speak for another one. */
export interface HealthTally {
  readonly health: WorkloadHealth;
  readonly successes: number;
  readonly failures: number;
}

/** Before the first check. */
export const noChecks: HealthTally = { health: { kind: "unknown" }, successes: 0, failures: 0 };

/** The tally after one more check; its health is another object only when it has changed. */
export function withResult(
  { health, successes, failures }: HealthTally,
  result: ProbeResult,
  thresholds: HealthThresholds,
  now: Date,
): HealthTally {
  if (result.kind === "healthy") {
    const inARow = successes + 1;
    const changes = health.kind !== "healthy" && inARow >= thresholds.success;
    return {
      health: changes ? { kind: "healthy", since: now } : health,
      successes: inARow,
      failures: 0,
    };
  }
  const inARow = failures + 1;
  const changes = health.kind !== "unhealthy" && inARow >= thresholds.failure;
  return {
    health: changes ? { kind: "unhealthy", since: now, reason: result.reason } : health,
    successes: 0,
    failures: inARow,
  };
}
