/**
 * The agent's whole state in one answer, and readiness with its cause.
 *
 * Envoy can only say that it got no configuration; the parts that know why are asked as well.
 */
import type { EnvoySupervisor } from "../envoy/supervisor.ts";
import { identityObstacle, type IdentityState } from "../identity/identity-state.ts";
import { type IdentityReport, identityReport } from "./identity-report.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { fileAgeMs } from "../lifecycle/wall-clock.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import type { SwapReport } from "../envoy/swap/swap-requests.ts";
import type { Readiness } from "../status/server.ts";
import type { HealthChecker } from "../workload-health/checker.ts";
import { describeRefused, type Refusal } from "../xdsproxy/report/refusal.ts";
import type { XdsState } from "../xdsproxy/report/state.ts";
import type { Reloader } from "./reloader.ts";
import { type WorkloadHealthReport, workloadHealthReport } from "./workload-health.ts";

/** The parts that a report reads. */
export interface ReportSources {
  readonly identity: ReadonlyWatch<IdentityState>;
  readonly xds: ReadonlyWatch<XdsState>;
  /** Undefined when nothing checks the workload. */
  readonly workload: HealthChecker | undefined;
  readonly supervisor: EnvoySupervisor;
  readonly reloader: Reloader;
}

/** What `/debug/status` shows. Times are ISO 8601. */
export interface AgentReport {
  readonly ready: boolean;
  readonly reason?: string;
  readonly identity: IdentityReport;
  readonly xds: {
    readonly state: string;
    readonly address: string;
    readonly problem?: string;
    /** Of the cached configuration that Envoy is served, and when the control plane last stood behind it. */
    readonly stale?: { readonly asOf: string; readonly ageSeconds: number };
    /** What Envoy refuses now, and what it has of that name instead. */
    readonly refused?: readonly RefusalReport[];
  };
  /** Left out without a `readinessProbe`. */
  readonly workload?: WorkloadHealthReport;
  readonly envoy: {
    readonly state: string;
    readonly pid?: number;
    readonly generation?: number;
    readonly restarts: number;
    readonly version?: string;
    readonly problem?: string;
    /** The last end that nobody asked for. */
    readonly lastExit?: {
      readonly generation: number;
      readonly reason: string;
      readonly message: string;
      readonly at: string;
    };
    /** What became of the last request for another Envoy. */
    readonly lastSwap?: { readonly trigger: string; readonly at: string; readonly report: SwapReport };
    /** Why a swap that was asked for has not begun. */
    readonly swapWaitsFor?: string;
    /** The newest configuration that has failed while an older one serves. */
    readonly refused?: string;
    /** What is wrong with the configuration on disk. */
    readonly configurationProblems?: readonly string[];
  };
}

/** A resource that Envoy refuses. */
export interface RefusalReport {
  readonly typeUrl: string;
  readonly name: string;
  readonly reason: string;
  readonly since: string;
  readonly serves: "last accepted" | "nothing";
}

/** Ready when Envoy serves; the reason names the part that keeps it from serving. */
export async function agentReadiness(sources: ReportSources): Promise<Readiness> {
  const envoy = await sources.supervisor.readiness();
  // An Envoy that takes no certificate from the agent serves without one.
  const { secret } = sources.identity.current;
  const scarce = secret === undefined ? undefined : identityObstacle(sources.identity.current, new Date());
  if (envoy.ready && scarce !== undefined) return { ready: false, reason: scarce };
  if (envoy.ready) {
    const notes = [envoy.note, staleNote(sources.xds.current), refusalNote(sources.xds.current)];
    const note = notes.filter((one) => one !== undefined).join("; ");
    return note === "" ? envoy : { ready: true, note };
  }
  const { current: xds } = sources.xds;
  const causes = [sources.identity.current.problem?.message, xds.problem, refusalNote(xds)];
  return {
    ready: false,
    reason: [envoy.reason, ...causes.filter((cause) => cause !== undefined)].join("; "),
  };
}

/** Everything at once. */
export async function agentReport(sources: ReportSources): Promise<AgentReport> {
  const { supervisor } = sources;
  const [readiness, version] = await Promise.all([agentReadiness(sources), envoyVersion(supervisor)]);
  const identity = sources.identity.current;
  const xds = sources.xds.current;
  const stale = staleness(xds);
  const envoy = supervisor.report.state.current;
  return {
    ...readiness,
    identity: identityReport(identity),
    xds: {
      state: xds.kind,
      address: xds.address,
      ...(xds.problem === undefined ? {} : { problem: xds.problem }),
      ...(stale === undefined ? {} : { stale }),
      ...(xds.refused.length === 0 ? {} : { refused: xds.refused.map(refusalReport) }),
    },
    ...(sources.workload === undefined ? {} : { workload: workloadHealthReport(sources.workload) }),
    envoy: {
      state: envoy.kind,
      ...("pid" in envoy && envoy.pid !== undefined ? { pid: envoy.pid } : {}),
      ...("generation" in envoy ? { generation: envoy.generation } : {}),
      restarts: supervisor.report.restarts,
      ...version,
      ...swapReport(sources),
      ...("reason" in envoy ? { problem: envoy.reason } : {}),
    },
  };
}

function staleNote(xds: XdsState): string | undefined {
  const stale = staleness(xds);
  return stale === undefined
    ? undefined
    : `stale: configuration of ${stale.ageSeconds} s ago, from the cache`;
}

/** The first of what Envoy refuses, as the whole may be long. */
function refusalNote({ refused }: XdsState): string | undefined {
  const [first] = refused;
  if (first === undefined) return undefined;
  const more = refused.length === 1 ? "" : `, and ${refused.length - 1} more`;
  const serves = first.serves === "nothing" ? "nothing serves in its place" : "the last accepted one serves";
  const prefix = refused.some(({ serves: what }) => what === "last accepted") ? "stale: " : "";
  return `${prefix}${describeRefused(first)} since ${first.since.toISOString()}: ${serves}${more}`;
}

function refusalReport({ typeUrl, name, reason, since, serves }: Refusal): RefusalReport {
  return { typeUrl, name, reason, since: since.toISOString(), serves };
}

function staleness({ kind, asOf }: XdsState): AgentReport["xds"]["stale"] {
  if (kind !== "stale" || asOf === undefined) return undefined;
  return { asOf: asOf.toISOString(), ageSeconds: Math.round(fileAgeMs(asOf.getTime()) / 1_000) };
}

function swapReport({ supervisor, reloader }: ReportSources): Partial<AgentReport["envoy"]> {
  const { lastExit, lastSwap } = supervisor.report;
  const { swapWaitsFor, refused } = supervisor;
  return {
    ...(lastExit === undefined
      ? {}
      : {
          lastExit: {
            generation: lastExit.generation,
            reason: lastExit.reason,
            message: lastExit.message,
            at: lastExit.at.toISOString(),
          },
        }),
    ...(lastSwap === undefined ? {} : { lastSwap: { ...lastSwap, at: lastSwap.at.toISOString() } }),
    ...(swapWaitsFor === undefined ? {} : { swapWaitsFor }),
    ...(refused === undefined ? {} : { refused }),
    ...(reloader.problems.length === 0 ? {} : { configurationProblems: reloader.problems }),
  };
}

async function envoyVersion(supervisor: EnvoySupervisor): Promise<{ version: string } | { problem: string }> {
  try {
    return { version: (await supervisor.admin.serverInfo()).version };
  } catch (error) {
    return { problem: errorMessage(error) };
  }
}
