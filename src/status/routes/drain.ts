/** `/drain`: Istio's own. */
import { type Route, text } from "../contract/route.ts";

/** What it works with. */
export interface DrainParts {
  /** Drain Envoy's listeners, where there is one. */
  readonly drain: () => Promise<void>;
}

/** Answers once Envoy has begun. */
export const drainRoute: Route<DrainParts> = {
  path: "/drain",
  method: "POST",
  scope: "loopback",
  describe: "Drain Envoy and keep it, readiness too; a later SIGTERM then ends it at once.",
  handle: async ({ drain }) => {
    await drain();
    return text(200, "OK");
  },
};
