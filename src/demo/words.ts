/**
 * Short phrases for people, shared by the picture and the lines.
 */
import type { RequestResult } from "./demo-app.ts";
import type { SidecarState } from "./state.ts";

/** "200 from api, called as spiffe://…". */
export function describeResult(result: RequestResult): string {
  if (result.kind === "failed") return `failed: ${result.reason}`;
  if (result.answer === undefined) return `${result.status}`;
  const caller = result.answer.caller === "" ? "nobody" : result.answer.caller;
  return `${result.status} from ${result.answer.app}, called as ${caller}`;
}

/** "live (pid 12, 1.40.0)". */
export function describeEnvoy({ report, exit }: SidecarState): string {
  if (exit !== undefined) return "gone";
  if (report === undefined) return "unknown: the agent does not answer yet";
  const { state, pid, version, problem } = report.envoy;
  const details = [pid === undefined ? "" : `pid ${pid}`, version ?? ""]
    .filter((part) => part !== "")
    .join(", ");
  return [state, details === "" ? "" : `(${details})`, state === "restarting" ? (problem ?? "") : ""]
    .filter((part) => part !== "")
    .join(" ");
}

/** Value below which a share of `values` lies; undefined without values. */
export function percentile(values: readonly number[], share: number): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];
}
