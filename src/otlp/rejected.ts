/** What an endpoint says that it has not taken of an export that it has taken (OTLP specification, "Partial Success"). */
import { at, textAt } from "../lifecycle/json-path.ts";
import type { Signal } from "./metrics.ts";

/** Of one export. */
export interface Rejected {
  /** Spans or data points. */
  readonly count: number;
  /** The endpoint's own words. */
  readonly reason: string;
}

/** As the answer calls them; JSON has numbers of 64 bits as texts. */
const fields: Readonly<Record<Signal, string>> = { traces: "rejectedSpans", metrics: "rejectedDataPoints" };

/** Longest text that is taken of an endpoint, in characters. */
const maxReason = 1_024;

/** Undefined where all was taken: words without a number are no more than a warning. @param answer of OTLP */
export function rejectedOf(signal: Signal, answer: unknown): Rejected | undefined {
  const partial = at(answer, "partialSuccess");
  const count = Number(at(partial, fields[signal]) ?? 0);
  if (!Number.isSafeInteger(count) || count <= 0) return undefined;
  return { count, reason: (textAt(partial, "errorMessage") ?? "").slice(0, maxReason) };
}
