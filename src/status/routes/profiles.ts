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
