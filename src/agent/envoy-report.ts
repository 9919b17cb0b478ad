/**
 * Envoy in the agent's report: what its supervisor knows of it, and the version that its admin interface tells.
 */
import type { GenerationPast } from "../envoy/supervision/history.ts";
import type { EnvoySupervisor } from "../envoy/supervision/supervisor.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import type { EnvoyReport, GenerationReport } from "../status/contract/agent-report.ts";
import type { Reloader } from "./reloader.ts";

/** What there is of it. */
export async function envoyReport(supervisor: EnvoySupervisor, reloader: Reloader): Promise<EnvoyReport> {
  const version = await envoyVersion(supervisor);
  const envoy = supervisor.report.state.current;
  return {
    state: envoy.kind,
    ...("pid" in envoy && envoy.pid !== undefined ? { pid: envoy.pid } : {}),
    ...("generation" in envoy ? { generation: envoy.generation } : {}),
    restarts: supervisor.report.counts.restarts,
    ...version,
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

function endsAndSwaps({ report, swapWaitsFor, refused }: EnvoySupervisor): Partial<EnvoyReport> {
  const { lastExit, lastSwap } = report;
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
  };
}

async function envoyVersion(supervisor: EnvoySupervisor): Promise<{ version: string } | { problem: string }> {
  try {
    return { version: (await supervisor.admin.serverInfo()).version };
  } catch (error) {
    return { problem: errorMessage(error) };
  }
}
