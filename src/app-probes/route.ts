/** `/app-health/` and `/app-lifecycle/`: the kubelet's probes and hooks of the application. */
import { type Answer, type Asked, type Route, text } from "../status/contract/route.ts";

/** What they work with. */
export interface AppProbesParts {
  /** Undefined for a path that has no probe. */
  readonly probeApplication: (asked: Asked) => Promise<Answer | undefined>;
}

/** `/app-health/<container>/` and then `livez`, `readyz` or `startupz`. */
export const appHealthRoute: Route<AppProbesParts> = {
  path: "/app-health/",
  method: "GET",
  scope: "everybody",
  describe: "What the application answers to its probe `<container>/{livez,readyz,startupz}`.",
  isUrgent: true,
  // A probe's own Host is the application's.
  takesAnyHost: true,
  handle: async ({ probeApplication }, asked) =>
    (await probeApplication(asked)) ?? text(400, `app prober config does not exists for ${asked.path}\n`),
};

/** `/app-lifecycle/<container>/` and then `prestopz` or `poststartz`. */
export const appLifecycleRoute: Route<AppProbesParts> = {
  ...appHealthRoute,
  path: "/app-lifecycle/",
  describe: "What the application answers to its hook `<container>/{prestopz,poststartz}`.",
};
