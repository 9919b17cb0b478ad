/** What the supervisor needs to know to run Envoy. */
export interface EnvoyOptions {
  /** Folder of the active bootstrap; generations live below it. Relative to the working directory or absolute. */
  readonly configPath: string;
  /** Envoy's `--drain-time-s`, in milliseconds. */
  readonly drainDurationMs: number;
  /** How long a replaced Envoy may keep its connections: `--parent-shutdown-time-s`, in milliseconds. */
  readonly parentShutdownDurationMs: number;
  /** How long Envoy serves on after the request to stop, readiness red, before it drains, in milliseconds. */
  readonly preDrainDelayMs: number;
  /** How long a drain takes that does not end at zero connections, in milliseconds. */
  readonly terminationDrainDurationMs: number;
  /** End the drain as soon as no connection is left, but not before `minimumDrainDurationMs`. */
  readonly exitOnZeroActiveConnections: boolean;
  readonly minimumDrainDurationMs: number;
  /** End such a drain here even if connections are left, in milliseconds; undefined waits for them. */
  readonly maximumDrainDurationMs: number | undefined;
  /** Drain inbound listeners only: a sidecar's application may still call out while it stops. */
  readonly drainInboundOnly: boolean;
  /** Ports of the agent's own listeners in Envoy: readiness and Prometheus. */
  readonly ownPorts: readonly number[];
  /** Only-IPv6 pods resolve local addresses as v6. */
  readonly localAddressIpVersion: "v4" | "v6";
  /** Envoy's `-l`; undefined leaves Envoy's default. */
  readonly logLevel: string | undefined;
  /** Envoy's `--component-log-level`, such as `misc:error`. */
  readonly componentLogLevel: string | undefined;
  readonly skipDeprecatedLogs: boolean;
  readonly enableCoreDump: boolean;
  /** How often Envoy flushes its log files: `--file-flush-interval-msec`. */
  readonly fileFlushIntervalMs: number;
  /** A log file is flushed when it has grown by this: `--file-flush-min-size-kb`; undefined leaves Envoy's default. */
  readonly fileFlushMinSizeKb: number | undefined;
  /** Variables that Envoy gets beside the agent's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** Worker threads; undefined takes one per CPU. */
  readonly concurrency: number | undefined;
}
