/**
 * Ways to ask a workload how it is, and what it may answer.
 */

/** Where a probe connects to. */
export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  /** Address to connect from; undefined leaves it to the kernel. */
  readonly sourceAddress: string | undefined;
}

/** One way to ask a workload how it is. */
export type ProbeMethod =
  /** Healthy is a status from 200 to 399. A certificate is not verified. */
  | ({
      readonly kind: "http";
      readonly scheme: "http" | "https";
      /** Path and query. */
      readonly path: string;
      readonly headers: readonly { readonly name: string; readonly value: string }[];
    } & ProbeTarget)
  /** Healthy is a connection. */
  | ({ readonly kind: "tcp" } & ProbeTarget)
  /** Healthy is exit code 0. */
  | { readonly kind: "exec"; readonly file: string; readonly args: readonly string[] }
  /** Healthy is SERVING, of grpc.health.v1. */
  | ({
      readonly kind: "grpc";
      readonly service: string;
      /** `istio-probe/1.0` unless told. */
      readonly userAgent?: string;
    } & ProbeTarget);

/** What one probe found. */
export type ProbeResult =
  { readonly kind: "healthy" } | { readonly kind: "unhealthy"; readonly reason: string };
