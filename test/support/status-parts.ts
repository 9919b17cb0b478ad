/** What the status port works with, where a test is of the port itself: an agent that is ready and has nothing to tell. */
import type { StatusParts } from "../../src/agent/status-routes.ts";
import { text } from "../../src/status/contract/route.ts";
import { Profiling } from "../../src/status/profile/profiling.ts";

export function statusParts(changes: Partial<StatusParts> = {}): StatusParts {
  return {
    probe: () => Promise.resolve({ ready: true }),
    configuration: () => Promise.resolve({ nodeId: "sidecar" }),
    journal: { records: () => [] },
    probeApplication: () => Promise.resolve(undefined),
    scrape: () => Promise.resolve(text(200, "metric 1\n")),
    report: () =>
      Promise.resolve({
        ready: true,
        agent: { pid: process.pid, runsEnvoy: false },
        identity: {},
        xds: { state: "idle", address: "istiod:15012" },
      }),
    dns: undefined,
    xds: { exchanges: () => [] },
    profiling: new Profiling([process.execPath], (text) => text),
    page: { look: () => Promise.reject(new Error("there is no page")) },
    reload: () => Promise.resolve({ result: "stopped" }),
    drain: () => Promise.resolve(),
    quit: () => undefined,
    ...changes,
  };
}
