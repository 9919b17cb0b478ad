/** `/debug/config`: what the agent runs with. */
import type { JsonRoute } from "../contract/route.ts";

/** What it works with. */
export interface ConfigurationParts {
  /** As JSON can write it. */
  readonly configuration: () => Promise<object>;
}

/** Every setting, decided. */
export const configurationRoute: JsonRoute<ConfigurationParts, object> = {
  path: "/debug/config",
  method: "GET",
  scope: "loopback",
  describe: "What the agent was started with, decided, as JSON without secrets.",
  isBody: (answer): answer is object => typeof answer === "object" && answer !== null,
  handle: async ({ configuration }) => ({ kind: "json", value: await configuration(), isIndented: true }),
};
