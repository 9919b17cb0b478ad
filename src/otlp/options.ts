/** Where telemetry goes, and how. */

/** How messages go. */
export type OtlpProtocol = "http/protobuf" | "http/json" | "grpc";

/** The way of one signal. */
export interface OtlpTarget {
  /** `http:` or `https:`, with the signal's path where it goes by HTTP. */
  readonly url: string;
  readonly protocol: OtlpProtocol;
  /** Sent with each request, by gRPC as metadata; secrets, most of them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of one export, with all its tries, in milliseconds. */
  readonly timeoutMs: number;
  readonly compression: "gzip" | "none";
  readonly tls: OtlpTls;
}

/** PEM files for `https:`; undefined for the roots of Node.js, and for no certificate of one's own. */
export interface OtlpTls {
  readonly rootPath: string | undefined;
  readonly certificatePath: string | undefined;
  readonly keyPath: string | undefined;
}

/** What is exported. */
export interface OtlpOptions {
  /** Undefined exports none. */
  readonly traces: OtlpTarget | undefined;
  readonly metrics: OtlpTarget | undefined;
  /** From one export of metrics to the next, in milliseconds. */
  readonly metricsIntervalMs: number;
  /** Attributes of whom all of it is about. */
  readonly resource: Readonly<Record<string, string>>;
}
