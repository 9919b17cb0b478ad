/** What the status port works with, where a test is of the port itself: an agent that is ready and has nothing to tell. */
import type { StatusParts } from "../../src/agent/status-routes.ts";
import { text } from "../../src/status/contract/route.ts";
import type { AgentReport } from "../../src/status/contract/agent-report.ts";
import { Profiling } from "../../src/status/profile/profiling.ts";

const report: AgentReport = {
  ready: true,
  agent: { pid: process.pid, runsEnvoy: false },
  identity: {},
  xds: { state: "idle", address: "istiod:15012" },
};

export function statusParts(changes: Partial<StatusParts> = {}): StatusParts {
  return {
    probe: () => Promise.resolve({ ready: true }),
    configuration: () => Promise.resolve({ nodeId: "sidecar" }),
    journal: { records: () => [] },
    probeApplication: () => Promise.resolve(undefined),
    scrape: () => Promise.resolve(text(200, "metric 1\n")),
    report: () => Promise.resolve(report),
    dns: undefined,
    xds: { exchanges: () => [] },
    profiling: new Profiling([process.execPath], (text) => text),
    page: {
      look: () =>
        Promise.resolve({
          ...{ node: "sidecar~10.0.0.1~web.demo~demo.svc.cluster.local", now: new Date(0), report },
          ...{ exchanges: [], log: [], processes: [] },
        }),
    },
    reload: () => Promise.resolve({ result: "stopped" }),
    drain: () => Promise.resolve(),
    quit: () => undefined,
    ...changes,
  };
}
