/**
 * Envoy in the agent's report: what its supervisor knows of it, and the version that its admin interface tells.
 */
import { connectionStats, workloadConnections } from "../envoy/drain/connections.ts";
import type { GenerationPast } from "../envoy/supervision/history.ts";
import type { EnvoySupervisor } from "../envoy/supervision/supervisor.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { thisMoment, timeOf } from "../lifecycle/moment.ts";
import type { EnvoyReport, GenerationReport } from "../status/contract/agent-report.ts";
import type { Reloader } from "./reloader.ts";

/** What there is of it. */
export async function envoyReport(supervisor: EnvoySupervisor, reloader: Reloader): Promise<EnvoyReport> {
  const envoy = supervisor.report.state.current;
  const [version, drainHeldUpBy] = await Promise.all([
    envoyVersion(supervisor),
    envoy.kind === "draining" ? openConnections(supervisor) : undefined,
  ]);
  return {
    state: envoy.kind,
    ...("pid" in envoy && envoy.pid !== undefined ? { pid: envoy.pid } : {}),
    ...("generation" in envoy ? { generation: envoy.generation } : {}),
    restarts: supervisor.report.counts.restarts,
    ...version,
    ...(drainHeldUpBy === undefined ? {} : { drainHeldUpBy }),
    generations: supervisor.report.history.map(generationReport),
    ...endsAndSwaps(supervisor),
    ...(reloader.problems.length === 0 ? {} : { configurationProblems: reloader.problems }),
    ...("reason" in envoy ? { problem: envoy.reason } : {}),
  };
}

function generationReport({ generation, pid, startedAt, phases, end }: GenerationPast): GenerationReport {
  return {
    generation,
    ...(pid === undefined ? {} : { pid }),
    startedAt: startedAt.toISOString(),
    phases: phases.map(({ kind, at }) => ({ kind, at: at.toISOString() })),
    ...(end === undefined ? {} : { end: { ...end, at: end.at.toISOString() } }),
  };
}

function endsAndSwaps({ report, swapWaitsFor, refused, active }: EnvoySupervisor): Partial<EnvoyReport> {
  const { lastExit, lastSwap } = report;
  const now = thisMoment();
  const hotRestartObstacle = active?.lineage?.obstacle;
  return {
    ...(lastExit === undefined
      ? {}
      : {
          lastExit: {
            generation: lastExit.generation,
            reason: lastExit.reason,
            message: lastExit.message,
            at: timeOf(lastExit.at, now).toISOString(),
          },
        }),
    ...(lastSwap === undefined
      ? {}
      : { lastSwap: { ...lastSwap, at: timeOf(lastSwap.at, now).toISOString() } }),
    ...(hotRestartObstacle === undefined ? {} : { hotRestartObstacle }),
    ...(swapWaitsFor === undefined ? {} : { swapWaitsFor }),
    ...(refused === undefined ? {} : { refused }),
  };
}

/** Undefined where Envoy does not say. */
async function openConnections({
  admin,
  active,
}: EnvoySupervisor): Promise<Readonly<Record<string, number>> | undefined> {
  const uncounted = { ownPorts: active?.launch.options.ownPorts ?? [], outbound: new Set<string>() };
  try {
    const connections = workloadConnections(await admin.stats(connectionStats), uncounted);
    return connections === undefined ? undefined : Object.fromEntries(connections);
  } catch {
    return undefined;
  }
}

async function envoyVersion(supervisor: EnvoySupervisor): Promise<{ version: string } | { problem: string }> {
  try {
    return { version: (await supervisor.admin.serverInfo()).version };
  } catch (error) {
    return { problem: errorMessage(error) };
  }
}
