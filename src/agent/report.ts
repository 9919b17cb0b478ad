/**
 * The agent's whole state in one answer, and readiness with its cause.
 *
 * Envoy can only say that it got no configuration; the parts that know why are asked as well.
 */
import type { EnvoySupervisor } from "../envoy/supervisor.ts";
import type { IdentityState } from "../identity/secret-manager.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import type { Readiness } from "../status/server.ts";
import type { XdsState } from "../xdsproxy/state.ts";

/** The parts that a report reads. */
export interface ReportSources {
  readonly identity: ReadonlyWatch<IdentityState>;
  readonly xds: ReadonlyWatch<XdsState>;
  readonly supervisor: EnvoySupervisor;
}

/** What `/debug/status` shows. Times are ISO 8601. */
export interface AgentReport {
  readonly ready: boolean;
  readonly reason?: string;
  readonly identity: { readonly spiffeId?: string; readonly notAfter?: string; readonly problem?: string };
  readonly xds: { readonly state: string; readonly address: string; readonly problem?: string };
  readonly envoy: {
    readonly state: string;
    readonly pid?: number;
    readonly generation?: number;
    readonly restarts: number;
    readonly version?: string;
    readonly problem?: string;
  };
}

/** Ready when Envoy serves; the reason names the part that keeps it from serving. */
export async function agentReadiness(sources: ReportSources): Promise<Readiness> {
  const envoy = await sources.supervisor.readiness();
  if (envoy.ready) return envoy;
  const causes = [sources.identity.current.problem?.message, sources.xds.current.problem];
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
  const envoy = supervisor.state.current;
  return {
    ...readiness,
    identity: {
      ...(identity.secret === undefined
        ? {}
        : { spiffeId: identity.secret.spiffeId, notAfter: identity.secret.notAfter.toISOString() }),
      ...(identity.problem === undefined ? {} : { problem: identity.problem.message }),
    },
    xds: {
      state: xds.kind,
      address: xds.address,
      ...(xds.problem === undefined ? {} : { problem: xds.problem }),
    },
    envoy: {
      state: envoy.kind,
      ...("pid" in envoy && envoy.pid !== undefined ? { pid: envoy.pid } : {}),
      ...("generation" in envoy ? { generation: envoy.generation } : {}),
      restarts: supervisor.restarts,
      ...version,
      ...("reason" in envoy ? { problem: envoy.reason } : {}),
    },
  };
}

async function envoyVersion(supervisor: EnvoySupervisor): Promise<{ version: string } | { problem: string }> {
  try {
    return { version: await supervisor.admin.version() };
  } catch (error) {
    return { problem: errorMessage(error) };
  }
}
