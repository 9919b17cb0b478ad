/**
 * The agent's whole state in one answer. Times are ISO 8601. Fields are only ever added.
 */
import type { CertificateSummary } from "../../pki/certificate.ts";
import type { Problem } from "./problem.ts";
import type { Condition } from "./readiness.ts";
import type { SwapReport } from "./reload-report.ts";

/** With an Envoy and without: only its part is left out. */
export interface AgentReport {
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly reason?: string;
  /** What readiness depends on. */
  readonly conditions?: readonly Condition[];
  /** Whatever is wrong, ready or not, the gravest first; left out by an agent of another release. */
  readonly problems?: readonly Problem[];
  readonly agent: {
    readonly pid: number;
    /** False with DISABLE_ENVOY. */
    readonly runsEnvoy: boolean;
  };
  readonly identity: IdentityReport;
  readonly xds: XdsReport;
  /** Left out without a `readinessProbe`. */
  readonly workload?: WorkloadHealthReport;
  /** Left out where no Envoy is to run. */
  readonly envoy?: EnvoyReport;
}

/** The report of an agent that runs an Envoy. */
export type SidecarReport = AgentReport & { readonly envoy: EnvoyReport };

/** True for an agent that runs an Envoy. */
export function isOfSidecar(report: AgentReport): report is SidecarReport {
  return report.envoy !== undefined;
}

/** The workload's identity: everything but its key. */
export interface IdentityReport {
  readonly spiffeId?: string;
  /** TRUST_DOMAIN, where whoever signs has this workload in another trust domain. */
  readonly askedTrustDomain?: string;
  readonly notAfter?: string;
  readonly problem?: string;
  /** Where the certificate in use came from. */
  readonly source?: string;
  readonly receivedAt?: string;
  readonly nextRotation?: string;
  /** Leaf first. */
  readonly chain?: readonly CertificateSummary[];
  readonly roots?: readonly CertificateSummary[];
  /** Roots of other trust domains, by their names. */
  readonly federatedRoots?: Readonly<Record<string, readonly CertificateSummary[]>>;
}

/** The connection to the control plane, and what became of its configuration. */
export interface XdsReport {
  readonly state: string;
  readonly address: string;
  readonly problem?: string;
  /** Of the cached configuration that Envoy is served, and when the control plane last stood behind it. */
  readonly stale?: { readonly asOf: string; readonly ageSeconds: number };
  /** What Envoy refuses now, and what it has of that name instead. */
  readonly refused?: readonly RefusalReport[];
}

/** A resource that Envoy refuses. */
export interface RefusalReport {
  readonly typeUrl: string;
  /** Empty when nobody can say which resource of a response it is. */
  readonly name: string;
  /** Envoy's words. */
  readonly reason: string;
  readonly since: string;
  readonly serves: "last accepted" | "nothing";
}

/** The workload's health. */
export interface WorkloadHealthReport {
  readonly state: "unknown" | "healthy" | "unhealthy";
  /** What is checked. */
  readonly check: string;
  readonly since?: string;
  /** Why it is unhealthy. */
  readonly reason?: string;
  /** Why the last check failed, however many more it takes until that counts. */
  readonly lastFailure?: string;
}

/** Envoy, as its supervisor and its admin interface tell of it. */
export interface EnvoyReport {
  readonly state: string;
  readonly pid?: number;
  readonly generation?: number;
  readonly restarts: number;
  readonly version?: string;
  readonly problem?: string;
  /** Open connections of each listener, without the agent's own, while Envoy drains. */
  readonly drainHeldUpBy?: Readonly<Record<string, number>>;
  /** The last generations, oldest first; left out by an agent of another release. */
  readonly generations?: readonly GenerationReport[];
  /** The last end that nobody asked for. */
  readonly lastExit?: {
    readonly generation: number;
    readonly reason: string;
    readonly message: string;
    readonly at: string;
  };
  /** What became of the last request for another Envoy. */
  readonly lastSwap?: { readonly trigger: string; readonly at: string; readonly report: SwapReport };
  /** Why no Envoy can take over from this one by hot restart. */
  readonly hotRestartObstacle?: string;
  /** Why a swap that was asked for has not begun. */
  readonly swapWaitsFor?: string;
  /** The newest configuration that has failed while an older one serves. */
  readonly refused?: string;
  /** What is wrong with the configuration on disk. */
  readonly configurationProblems?: readonly string[];
}

/** One Envoy process and its configuration, from its start to its end. */
export interface GenerationReport {
  readonly generation: number;
  readonly pid?: number;
  readonly startedAt: string;
  /** What it did, in order: starting, newcomer, serving, hung, draining, ending or retiring. */
  readonly phases: readonly { readonly kind: string; readonly at: string }[];
  /** Left out while it lives. */
  readonly end?: { readonly at: string; readonly reason: string; readonly message: string };
}
