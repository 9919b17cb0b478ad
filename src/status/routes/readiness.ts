/** `/healthz/ready`: what the kubelet asks for. */
import type { Readiness } from "../contract/readiness.ts";
import { type Route, text } from "../contract/route.ts";

/** What it works with. */
export interface ReadinessParts {
  readonly probe: () => Promise<Readiness>;
}

/** 200 with what a reader should know all the same, or 503. */
export const readinessRoute: Route<ReadinessParts> = {
  path: "/healthz/ready",
  method: "GET",
  scope: "everybody",
  describe: "200 when Envoy serves the control plane's configuration, else 503; the log says why.",
  isUrgent: true,
  handle: async ({ probe }) => {
    const readiness = await probe();
    if (!readiness.ready) return text(503, "");
    return text(200, readiness.note === undefined ? "" : `${readiness.note}\n`);
  },
};
