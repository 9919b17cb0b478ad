/**
 * What is checked of the workload, and how often (Istio's ReadinessProbe).
 */

/** Where a check connects to. */
export interface HealthTarget {
  readonly host: string;
  readonly port: number;
  /** Address to connect from; undefined leaves it to the kernel. */
  readonly sourceAddress: string | undefined;
}

/** One way to ask a workload how it is. */
export type HealthCheckMethod =
  /** Healthy is a status from 200 to 399. A certificate is not verified. */
  | ({
      readonly kind: "http";
      readonly scheme: "http" | "https";
      /** Path and query. */
      readonly path: string;
      readonly headers: readonly { readonly name: string; readonly value: string }[];
    } & HealthTarget)
  /** Healthy is a connection. */
  | ({ readonly kind: "tcp" } & HealthTarget)
  /** Healthy is exit code 0. */
  | { readonly kind: "exec"; readonly file: string; readonly args: readonly string[] }
  /** Healthy is SERVING, of grpc.health.v1. */
  | ({ readonly kind: "grpc"; readonly service: string } & HealthTarget);

/** How many checks in a row make a state. */
export interface HealthThresholds {
  readonly success: number;
  readonly failure: number;
}

/** The checks of one workload. */
export interface WorkloadHealthOptions {
  readonly method: HealthCheckMethod;
  /** Before the first check, in milliseconds. */
  readonly initialDelayMs: number;
  /** Longest check, in milliseconds. */
  readonly timeoutMs: number;
  /** From the beginning of one check to that of the next, in milliseconds. */
  readonly periodMs: number;
  readonly thresholds: HealthThresholds;
}
