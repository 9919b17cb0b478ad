/** `/debug/status`: the whole picture. */
import { at } from "../../lifecycle/json-path.ts";
import type { AgentReport } from "../contract/agent-report.ts";
import type { JsonRoute } from "../contract/route.ts";

/** What it works with. */
export interface ReportParts {
  readonly report: () => Promise<AgentReport>;
}

/** Everything at once. */
export const reportRoute: JsonRoute<ReportParts, AgentReport> = {
  path: "/debug/status",
  method: "GET",
  scope: "loopback",
  describe: "Identity, xDS, Envoy and readiness as JSON, with the reason for whatever is not well.",
  isBody: (answer): answer is AgentReport =>
    typeof at(answer, "ready") === "boolean" &&
    isObject(at(answer, "identity")) &&
    isObject(at(answer, "xds")),
  handle: async ({ report }) => ({ kind: "json", value: await report(), isIndented: true }),
};

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
