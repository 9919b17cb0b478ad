/**
 * The agent's whole state in one answer, with an Envoy and without.
 */
import type { IdentityState } from "../identity/identity-state.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import type { AgentReport, EnvoyReport } from "../status/contract/agent-report.ts";
import type { Problem } from "../status/contract/problem.ts";
import type { Readiness } from "../status/contract/readiness.ts";
import type { HealthChecker } from "../workload-health/checker.ts";
import type { XdsState } from "../xdsproxy/report/state.ts";
import { identityReport } from "./identity-report.ts";
import { workloadHealthReport } from "./workload-health.ts";
import { xdsReport } from "./xds-report.ts";

/** The parts that a report reads. */
export interface ReportSources {
  /** Of the agent. */
  readonly pid: number;
  readonly readiness: () => Promise<Readiness>;
  readonly identity: ReadonlyWatch<IdentityState>;
  readonly xds: ReadonlyWatch<XdsState>;
  /** What is wrong now. */
  readonly problems: () => readonly Problem[];
  /** Undefined when nothing checks the workload. */
  readonly workload: HealthChecker | undefined;
  /** Undefined where no Envoy is to run. */
  readonly envoy: (() => Promise<EnvoyReport>) | undefined;
}

/** Everything at once. */
export async function agentReport({
  pid,
  readiness,
  identity,
  xds,
  problems,
  workload,
  envoy,
}: ReportSources): Promise<AgentReport> {
  const [ready, envoyPart] = await Promise.all([readiness(), envoy?.()]);
  return {
    ...ready,
    problems: problems(),
    agent: { pid, runsEnvoy: envoy !== undefined },
    identity: identityReport(identity.current),
    xds: xdsReport(xds.current),
    ...(workload === undefined ? {} : { workload: workloadHealthReport(workload) }),
    ...(envoyPart === undefined ? {} : { envoy: envoyPart }),
  };
}
