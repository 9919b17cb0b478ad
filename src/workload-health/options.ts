/**
 * What is checked of the workload, and how often (Istio's ReadinessProbe).
 */
import type { ProbeMethod } from "../probe/method.ts";

/** How many checks in a row make a state. */
export interface HealthThresholds {
  readonly success: number;
  readonly failure: number;
}

/** The checks of one workload. */
export interface WorkloadHealthOptions {
  readonly method: ProbeMethod;
  /** Before the first check, in milliseconds. */
  readonly initialDelayMs: number;
  /** Longest check, in milliseconds. */
  readonly timeoutMs: number;
  /** From the beginning of one check to that of the next, in milliseconds. */
  readonly periodMs: number;
  readonly thresholds: HealthThresholds;
}
