/**
 * The flags of `proxy` as the command line gives them.
 */
import type { PilotFlagValues } from "./pilot-flags.ts";

/** The flags about the log. */
export interface LogFlags {
  /** `scope:level,…`. */
  readonly outputLevel: string;
  readonly asJson: boolean;
  /** `stdout`, `stderr` or paths; none is `stdout`. */
  readonly targets: readonly string[];
  /** Scopes, with commas between them. */
  readonly callers: string;
  /** `scope:level,…`. */
  readonly stacktraceLevel: string;
}

/** The flags of `proxy` about identity; undefined was not given. */
export interface IdentityFlags {
  readonly socketMode: string | undefined;
  readonly identityCache: string | undefined;
  readonly identityCacheOnDisk: boolean;
  readonly onRotate: string | undefined;
}

/** Flags of `proxy` as they were given; durations in Go's notation. */
export interface SupervisionFlags {
  readonly swapMode: string;
  readonly swapTimeout: string;
  readonly swapProofTimeout: string;
  readonly swapProbation: string;
  readonly restartBudget: number;
  readonly restartWindow: string;
  readonly restartBackoff: string;
  readonly restartMaxBackoff: string;
  readonly restartStableAfter: string;
  readonly hangCheckInterval: string;
  readonly hangCheckTimeout: string;
  readonly hangChecks: number;
  readonly hangChecksBusy: number;
}

/** The flags of `proxy` that configuration reads; undefined was not given. */
export interface ProxyFlags {
  readonly proxyType: string;
  readonly domain: string | undefined;
  readonly meshConfig: string;
  readonly binaryPath: string | undefined;
  readonly serviceCluster: string;
  readonly proxyLogLevel: string;
  readonly proxyComponentLogLevel: string;
  readonly concurrency: number | undefined;
  readonly templateFile: string | undefined;
  /** Envoy's outlier events go to this file. */
  readonly outlierLogPath: string | undefined;
  /** Only told to the control plane; 0 for none. */
  readonly stsPort: number;
  /** How long the cloud's metadata service may take, in Go's notation. */
  readonly platformMetadataDeadline: string;
  /** Flags of pilot-agent that set fields of ProxyConfig, or mean nothing any more. */
  readonly pilot: PilotFlagValues;
  /** Longest life of a replaced Envoy, in Go's notation; undefined is 15 s more than the drain takes. */
  readonly parentShutdownDuration: string | undefined;
  readonly supervision: SupervisionFlags;
  readonly identity: IdentityFlags;
  readonly preDrainDelay: string;
  readonly appSocket: string | undefined;
  readonly appGrace: string;
  readonly xdsCache: boolean;
  readonly xdsCacheAfter: string;
  readonly wasmFolder: string;
  readonly log: LogFlags;
  /** Serve profiles of the agent on the status port. */
  readonly profiling: boolean;
}
