/** `/debug/generations` and `/debug/certs`: parts of the report, for whoever wants no more. */
import type { GenerationReport, IdentityReport } from "../contract/agent-report.ts";
import type { JsonRoute } from "../contract/route.ts";
import type { ReportParts } from "./report.ts";

/** Oldest first; none where no Envoy is to run. */
export const generationsRoute: JsonRoute<ReportParts, readonly GenerationReport[]> = {
  path: "/debug/generations",
  method: "GET",
  scope: "loopback",
  describe: "The last Envoys, each with what it did when and how it ended, as JSON.",
  isBody: (answer): answer is readonly GenerationReport[] => Array.isArray(answer),
  handle: async ({ report }) => ({
    kind: "json",
    value: (await report()).envoy?.generations ?? [],
    isIndented: true,
  }),
};

/** Everything but keys. */
export const certificatesRoute: JsonRoute<ReportParts, IdentityReport> = {
  path: "/debug/certs",
  method: "GET",
  scope: "loopback",
  describe:
    "The workload's certificate, its roots and its next rotation as JSON, without keys; `outrider certs` prints what Envoy has.",
  isBody: (answer): answer is IdentityReport => typeof answer === "object" && answer !== null,
  handle: async ({ report }) => ({ kind: "json", value: (await report()).identity, isIndented: true }),
};
