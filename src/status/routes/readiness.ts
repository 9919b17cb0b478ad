/** `/healthz/ready`: what the kubelet asks for. */
import type { Readiness } from "../contract/readiness.ts";
import { type Asked, type JsonRoute, text } from "../contract/route.ts";
import { textAt } from "../../lifecycle/json-path.ts";

/** What it works with. */
export interface ReadinessParts {
  readonly probe: () => Promise<Readiness>;
}

/** The answer of an agent that is not ready. */
export type Unreadiness = Extract<Readiness, { ready: false }>;

/** 200 with what a reader should know all the same, or 503. */
export const readinessRoute: JsonRoute<ReadinessParts, Unreadiness> = {
  path: "/healthz/ready",
  method: "GET",
  scope: "everybody",
  describe:
    "200 when Envoy serves the control plane's configuration, else 503 with what fails, since when and what to do as JSON (empty for `Accept: text/plain` and HEAD, as in Istio).",
  isUrgent: true,
  isBody: (answer): answer is Unreadiness => textAt(answer, "reason") !== undefined,
  handle: async ({ probe }, asked) => {
    const readiness = await probe();
    if (!readiness.ready)
      return wantsNoBody(asked)
        ? text(503, "")
        : { kind: "json", status: 503, value: readiness, isIndented: true };
    return text(200, readiness.note === undefined ? "" : `${readiness.note}\n`);
  },
};

/** Plain text is all that is asked for. */
function wantsNoBody({ method, headers: { accept = "" } }: Asked): boolean {
  return method === "HEAD" || /^\s*text\/plain\s*(;[^,]*)?$/i.test(accept);
}
