/**
 * What is known of the demo mesh at one moment.
 */
import { describeConfigProblem, type ConfigProblem } from "../controlplane/config/problem.ts";
import { describeExit } from "../envoy/exits/exit.ts";
import { AgentClient } from "../status/client.ts";
import { isOfSidecar, type SidecarReport } from "../status/contract/agent-report.ts";
import { reportRoute } from "../status/routes/report.ts";
import type { RequestResult } from "./demo-app.ts";
import type { DemoMesh } from "./demo-mesh.ts";
import type { SidecarProcess } from "./sidecar-process.ts";

/** One sidecar. */
export interface SidecarState {
  readonly name: string;
  readonly pid: number | undefined;
  /** How the agent's process ended, if it did. */
  readonly exit: string | undefined;
  /** The agent's own report; undefined while it does not answer. */
  readonly report: SidecarReport | undefined;
  readonly lastProblem: string | undefined;
}

/** Requests from web to api so far. */
export interface RequestState {
  readonly succeeded: number;
  readonly failed: number;
  readonly last: RequestResult | undefined;
  /** The newest results, oldest first. */
  readonly recent: readonly RequestResult[];
  /** Durations of the newest requests, in milliseconds. */
  readonly recentMs: readonly number[];
  /** Monotonic times of their ends, in milliseconds. */
  readonly recentEnds: readonly number[];
}

/** The mesh. */
export interface MeshState {
  readonly controlPlane: {
    readonly address: string;
    /** A line each: what is refused, or served with a warning. */
    readonly problems: readonly string[];
  };
  readonly sidecars: readonly SidecarState[];
  readonly requests: RequestState;
}

/** No request yet. */
export const noRequests: RequestState = {
  succeeded: 0,
  failed: 0,
  last: undefined,
  recent: [],
  recentMs: [],
  recentEnds: [],
};

const keptDurations = 100;

/** `requests` with one more result, which came at `now` (monotonic). A request succeeds when api answered it. */
export function withRequest(requests: RequestState, result: RequestResult, now: number): RequestState {
  const isSuccess = result.kind === "answered" && result.status === 200;
  return {
    succeeded: requests.succeeded + (isSuccess ? 1 : 0),
    failed: requests.failed + (isSuccess ? 0 : 1),
    last: result,
    recent: [...requests.recent, result].slice(-keptDurations),
    recentMs: [...requests.recentMs, result.durationMs].slice(-keptDurations),
    recentEnds: [...requests.recentEnds, now].slice(-keptDurations),
  };
}

/** Requests per second, of the newest ones; 0 before there are two. */
export function requestRate({ recentEnds }: RequestState): number {
  const [first = 0, last = 0] = [recentEnds[0], recentEnds.at(-1)];
  return last > first ? ((recentEnds.length - 1) * 1_000) / (last - first) : 0;
}

/** Ask every part. */
export async function observe(mesh: DemoMesh, requests: RequestState): Promise<MeshState> {
  return {
    controlPlane: {
      address: `127.0.0.1:${mesh.controlPlane.ports.secureGrpc}`,
      problems: mesh.controlPlane.configStatus.problems.map(problemLine),
    },
    sidecars: await Promise.all(mesh.sidecars.map((sidecar) => observeSidecar(sidecar, mesh))),
    requests,
  };
}

/** What a warning is about is served: to call it refused would be untrue. */
export function problemLine(problem: ConfigProblem): string {
  return `${problem.severity === "warning" ? "served, but" : "refused"} ${describeConfigProblem(problem)}`;
}

async function observeSidecar(sidecar: SidecarProcess, mesh: DemoMesh): Promise<SidecarState> {
  return {
    name: sidecar.name,
    pid: sidecar.pid,
    exit: sidecar.exit === undefined ? undefined : describeExit(sidecar.exit),
    report: sidecar.exit === undefined ? await askAgent(mesh.ports[`${sidecar.name}.status`]) : undefined,
    lastProblem: sidecar.lastProblem,
  };
}

/** The agent's report; undefined when it does not answer. */
export async function askAgent(statusPort: number): Promise<SidecarReport | undefined> {
  try {
    const report = await AgentClient.onPort(statusPort).ask(reportRoute, { withinMs: 2_000 });
    return isOfSidecar(report) ? report : undefined;
  } catch {
    return undefined;
  }
}
