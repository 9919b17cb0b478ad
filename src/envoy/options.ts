/** What the supervisor needs to know to run Envoy. */
export interface EnvoyOptions {
  /** Folder of the active bootstrap; generations live below it. Relative to the working directory or absolute. */
  readonly configPath: string;
  /** Envoy's `--drain-time-s`, in milliseconds. */
  readonly drainDurationMs: number;
  /** How long a replaced Envoy may keep its connections: `--parent-shutdown-time-s`, in milliseconds. */
  readonly parentShutdownDurationMs: number;
  /** Longest time between the request to stop and Envoy's end, in milliseconds. */
  readonly terminationDrainDurationMs: number;
  /** End the drain as soon as no connection is left, but not before `minimumDrainDurationMs`. */
  readonly exitOnZeroActiveConnections: boolean;
  readonly minimumDrainDurationMs: number;
  /** Drain inbound listeners only: a sidecar's application may still call out while it stops. */
  readonly drainInboundOnly: boolean;
  /** Only-IPv6 pods resolve local addresses as v6. */
  readonly localAddressIpVersion: "v4" | "v6";
  /** Envoy's `-l`; undefined leaves Envoy's default. */
  readonly logLevel: string | undefined;
  /** Envoy's `--component-log-level`, such as `misc:error`. */
  readonly componentLogLevel: string | undefined;
  readonly skipDeprecatedLogs: boolean;
  readonly enableCoreDump: boolean;
  /** Worker threads; undefined takes one per CPU. */
  readonly concurrency: number | undefined;
}
