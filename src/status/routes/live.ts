/** `/healthz/live`: whether the agent itself lives. */
import { type Route, text } from "../contract/route.ts";

/** An agent that answers lives; one of whose parts has failed ends. */
export const liveRoute: Route<object> = {
  path: "/healthz/live",
  method: "GET",
  scope: "everybody",
  describe: "200 while the agent itself answers, whatever its Envoy does.",
  isUrgent: true,
  handle: () => text(200, ""),
};
