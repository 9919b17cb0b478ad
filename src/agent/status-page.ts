/**
 * What the status page shows of the agent.
 */
import { resourceUse } from "../process/use.ts";
import type { AgentReport } from "../status/contract/agent-report.ts";
import type { PageView, ProcessUse } from "../status-page/view.ts";
import type { Journal } from "../telemetry/journal.ts";
import type { XdsProxy } from "../xdsproxy/xds-proxy.ts";

/** The parts that it shows. */
export interface ShownParts {
  readonly nodeId: string;
  /** Of the agent. */
  readonly pid: number;
  readonly xds: Pick<XdsProxy, "exchanges">;
  readonly journal: Journal;
}

/** At this moment; it may hold secrets. */
export function pageView(
  { nodeId, pid, xds, journal }: ShownParts,
  report: AgentReport,
): Omit<PageView, "now"> {
  const envoys = (report.envoy?.generations ?? []).filter(({ end }) => end === undefined);
  return {
    node: nodeId,
    report,
    exchanges: xds.exchanges(),
    log: journal.records(),
    processes: [
      ...use("agent", pid),
      ...envoys.flatMap((envoy) => use(`Envoy, generation ${envoy.generation}`, envoy.pid)),
    ],
  };
}

function use(name: string, pid: number | undefined): readonly ProcessUse[] {
  const used = pid === undefined ? undefined : resourceUse(pid);
  return pid === undefined || used === undefined ? [] : [{ name, pid, ...used }];
}
