/**
 * What Envoy's admin interface shows at one moment, without secrets.
 *
 * The answers can be large. They are worked on in slices, so that the agent goes on answering in between.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { fetchHttp, HttpAnswerError, type HttpRequest } from "../../net/http-client.ts";
import { endOfList, headerLists } from "../../telemetry/header-lists.ts";
import { redactText } from "../../telemetry/redact.ts";

/** The pages of a snapshot, by the name of their file. */
export const snapshotPages: Readonly<Record<string, string>> = {
  "server_info.json": "/server_info",
  "stats.txt": "/stats?usedonly",
  "listeners.json": "/listeners?format=json",
  "clusters.txt": "/clusters",
  "config_dump.json": "/config_dump",
};

/** One page, or why there is none. */
export type SnapshotPage =
  | { readonly file: string; readonly kind: "text"; readonly text: string }
  | { readonly file: string; readonly kind: "missing"; readonly reason: string };

/** How much is asked for and how long an answer may take. */
export interface SnapshotLimits {
  /** Longest answer of one page, in bytes. */
  readonly maxBytes: number;
  /** Longest wait for one page, in milliseconds. */
  readonly timeoutMs: number;
  /** Known values that are secrets. */
  readonly secrets: readonly string[];
  /** Other pages than `snapshotPages`. */
  readonly pages?: Readonly<Record<string, string>>;
}

/** Ask for every page, one after the other. An interface that does not answer is asked once only. Never rejects. */
export async function* snapshotAdmin(
  target: HttpRequest["target"],
  limits: SnapshotLimits,
): AsyncGenerator<SnapshotPage> {
  let silent: string | undefined;
  for (const [file, url] of Object.entries(limits.pages ?? snapshotPages)) {
    if (silent !== undefined) {
      yield { file, kind: "missing", reason: silent };
      continue;
    }
    const { maxBytes, timeoutMs, secrets } = limits;
    try {
      const { status, body } = await fetchHttp({ target, url, maxBytes, timeoutMs });
      const text = await redactInSlices(body.toString("utf8"), secrets);
      if (status === 200) yield { file, kind: "text", text };
      else yield { file, kind: "missing", reason: `${url} answered ${status}: ${text.slice(0, 200).trim()}` };
    } catch (error) {
      const reason = errorMessage(error);
      if (!(error instanceof HttpAnswerError) || error.code !== "TOO_LONG") silent = reason;
      yield { file, kind: "missing", reason };
    }
  }
}

/** Characters that take some two milliseconds. */
const sliceLength = 2 ** 15;

/** Redact a text of any length without holding up the event loop: between slices others get their turn. */
export async function redactInSlices(text: string, secrets: readonly string[]): Promise<string> {
  const parts: string[] = [];
  for (const slice of slices(text, sliceLength)) {
    parts.push(redactText(slice, secrets));
    await nextTurn();
  }
  return parts.join("");
}

/**
 * Pieces of about `length` characters, cut where a line ends: a secret of JSON or of a log stands on one line. What tells
 * that it is one stays with it: the name before a value, the name of a list before its headers.
 */
export function* slices(text: string, length: number): Generator<string> {
  for (let start = 0; start < text.length;) {
    let end = endOfLine(text, start + length);
    const last = headerLists(text.slice(start, end)).at(-1);
    if (last !== undefined && end < text.length && start + last.stop === end)
      end = endOfLine(text, endOfList(text, start + last.start));
    while (end < text.length && valueLine.test(text.slice(end, end + 256))) end = endOfLine(text, end);
    yield text.slice(start, end);
    start = end;
  }
}

/** What belongs to the line before it. */
const valueLine = /^\s*["']?(?:value|raw_?value|string_?value|header_?value)["']?\s*:/i;

/** Where the line ends that `at` is on. */
function endOfLine(text: string, at: number): number {
  const newline = at >= text.length ? -1 : text.indexOf("\n", at);
  return newline < 0 ? text.length : newline + 1;
}
