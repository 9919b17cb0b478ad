/** The port and who may read metrics. */
export interface StatusOptions {
  readonly host: string;
  readonly port: number;
  /** Metrics for loopback only. */
  readonly metricsLocalOnly: boolean;
  /** Serve profiles of this process. */
  readonly profiling: boolean;
}
