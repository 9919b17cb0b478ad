/** `/debug/pprof/`: where the agent's processor time goes. */
import type { Route } from "../contract/route.ts";
import { type Profiling, profilingRoot } from "../profile/profiling.ts";

/** What they work with. */
export interface ProfilesParts {
  readonly profiling: Profiling;
}

/** What `net/http/pprof` of Go has, as far as Node.js has it. */
export const profilesRoute: Route<ProfilesParts> = {
  path: profilingRoot,
  method: "GET",
  scope: "loopback",
  describe:
    "Profiles of the agent: `/debug/pprof/profile?seconds=30` for `go tool pprof`, `/debug/pprof/cmdline`.",
  handle: ({ profiling }, asked) => profiling.answer(asked),
};

/** V8's own form. */
export const cpuProfileRoute: Route<ProfilesParts> = {
  path: "/debug/cpuprofile",
  method: "GET",
  scope: "loopback",
  describe: "Processor time of the agent over `?seconds=30`, for the developer tools of a browser.",
  handle: ({ profiling }, asked) => profiling.cpuProfile(asked),
};

/** V8's own form. */
export const heapSnapshotRoute: Route<ProfilesParts> = {
  path: "/debug/heapsnapshot",
  method: "GET",
  scope: "loopback",
  describe:
    "What the agent's heap holds, secrets left out, for the developer tools of a browser. The agent does nothing else for some tenths of a second.",
  handle: ({ profiling }) => profiling.heapSnapshot(),
};
