/** `/debug/xds`: what the control plane last sent, and what Envoy said to it. */
import type { JsonRoute } from "../../status/contract/route.ts";
import type { Exchange } from "./recorder.ts";

/** What it works with. */
export interface ExchangesParts {
  readonly xds: {
    /** Oldest first. */
    exchanges(): readonly Exchange[];
  };
}

/** Everything that is kept, which may be a megabyte. */
export const exchangesRoute: JsonRoute<ExchangesParts, readonly Exchange[]> = {
  path: "/debug/xds",
  method: "GET",
  scope: "loopback",
  describe: "The last exchanges with the control plane of each type, as JSON; `outrider xds` prints them.",
  isBody: (answer): answer is readonly Exchange[] => Array.isArray(answer),
  handle: ({ xds }) => ({ kind: "json", value: xds.exchanges() }),
};
