/**
 * Who may call whom, as calls show it and not as rules say it.
 */
import { callThrough } from "./demo-app.ts";
import { serviceHost } from "./mesh-config.ts";
import type { Ports } from "./ports.ts";
import type { RequestResult } from "./demo-app.ts";

/** One caller and one service, and what came of the last call. */
export interface Call {
  readonly from: string;
  readonly to: string;
  readonly outcome: string;
}

const timeoutMs = 2_000;

/** Each application calls the other through its sidecar, and somebody without a sidecar calls both. */
export function tryCalls(ports: Ports): Promise<readonly Call[]> {
  const pairs = [
    ["web", "api", ports["web.outbound"]],
    ["api", "web", ports["api.outbound"]],
    ["plain text", "web", ports["web.inbound"]],
    ["plain text", "api", ports["api.inbound"]],
  ] as const;
  return Promise.all(
    pairs.map(async ([from, to, port]) => ({
      from,
      to,
      outcome: outcomeOf(await callThrough(port, serviceHost(to), timeoutMs)),
    })),
  );
}

/** The shares of each outcome among these results, the largest first: what weights and faults come to. */
export function sharesOf(results: readonly RequestResult[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const result of results) {
    const outcome =
      result.kind === "answered" ? [result.status, result.answer?.app ?? ""].join(" ").trim() : "failed";
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([outcome, count]) => `${Math.round((count * 100) / results.length)} % ${outcome}`);
}

function outcomeOf(result: RequestResult): string {
  if (result.kind === "answered") return result.status === 200 ? "yes" : `no (${result.status})`;
  return /ECONNRESET|hang up/.test(result.reason) ? "no (reset)" : "no answer";
}
