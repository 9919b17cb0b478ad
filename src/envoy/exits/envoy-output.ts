/**
 * Envoy's log lines in the three layouts that they come in: Envoy's own, Istio's text layout, and JSON.
 *
 * A bootstrap that asks for JSON does so only once it is parsed: what Envoy says about a bootstrap that it cannot
 * parse is in its own layout. Its very last line often has none at all.
 */

import { envoyWords } from "./envoy-words.ts";

/** One line, taken apart as far as it can be. */
export interface EnvoyLine {
  /** `critical`, `error`, `warning`, …; undefined for a line without a layout. */
  readonly level: string | undefined;
  /** Envoy's logger, such as `main` or `assert`. */
  readonly logger: string | undefined;
  readonly message: string;
}

/** `[2026-01-01 00:00:00.000][12][critical][main] [source/server/server.cc:449] message`. */
const ownLayout = /^\[[^\]]+\]\[\d+\]\[([a-z]+)\]\[([^\]]+)\] \[[^\]]+\] (.*)$/s;

/** `2026-01-01T00:00:00.000000Z⇥critical⇥envoy main source/server/server.cc:449⇥message⇥thread=12`. */
const istioLayout = /^\S+Z\t([a-z]+)\tenvoy (\S+) \S+\t(.*?)(?:\tthread=\d+)?$/s;

/** Take a line apart; a line of no layout is all message. */
export function parseEnvoyLine(line: string): EnvoyLine {
  const match = ownLayout.exec(line) ?? istioLayout.exec(line);
  if (match !== null) return { level: match[1], logger: match[2], message: match[3] ?? "" };
  return parseJsonLine(line) ?? { level: undefined, logger: undefined, message: line };
}

function parseJsonLine(line: string): EnvoyLine | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const { level, scope, msg } = JSON.parse(line) as Partial<Record<string, unknown>>;
    if (typeof level !== "string" || typeof msg !== "string") return undefined;
    const logger = typeof scope === "string" ? scope.replace(/^envoy /, "") : undefined;
    return { level, logger, message: msg };
  } catch {
    return undefined;
  }
}

/**
 * Envoy's text with every run of white space as one space. Protobuf varies the spaces in its messages from build
 * to build on purpose, so that nobody compares them.
 */
export function collapseSpace(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

/** The messages of all lines as one text, oldest first, spaces collapsed. */
export function outputText(lines: readonly EnvoyLine[]): string {
  return collapseSpace(lines.map(({ message }) => message).join("\n"));
}

/**
 * The last line that says what went wrong: not the backtrace, which only says where, and without a message of protobuf's
 * that is printed in its midst.
 */
export function lastTellingMessage(lines: readonly EnvoyLine[]): string | undefined {
  const line =
    lines.findLast(({ level, logger }) => level === "critical" && logger !== "backtrace") ??
    lines.findLast(({ level, message }) => level === undefined && envoyWords.fatal.test(message)) ??
    lines.findLast(({ level }) => level === "error");
  if (line === undefined) return undefined;
  const { message } = line;
  const whole = envoyWords.endsInDebugMark.test(message)
    ? message.replace(envoyWords.endsInDebugMark, "") +
      behindPrinted(lines.slice(lines.lastIndexOf(line) + 1))
    : message.replaceAll(envoyWords.debugMark, "");
  return collapseSpace(whole);
}

/** How a line goes on whose printed message begins `following`. */
function behindPrinted(following: readonly EnvoyLine[]): string {
  const next = following.findIndex(({ level }) => level !== undefined);
  const bare = next < 0 ? following : following.slice(0, next);
  return bare.findLast(({ message }) => message.startsWith(": "))?.message ?? "";
}

/** What Envoy prints when it crashes. */
export interface Backtrace {
  /** Such as "Caught Segmentation fault, suspect faulting address 0x0". */
  readonly cause: string | undefined;
  /** Printed stack frames; Envoy's `tools/stack_decode.py` gives them names. */
  readonly frames: number;
}

/** The backtrace among `lines`, if there is one. */
export function findBacktrace(lines: readonly EnvoyLine[]): Backtrace | undefined {
  const trace = lines.filter(({ logger }) => logger === "backtrace");
  if (trace.length === 0) return undefined;
  return {
    cause: trace.find(({ message }) => envoyWords.caught.test(message))?.message,
    frames: trace.filter(({ message }) => envoyWords.frame.test(message)).length,
  };
}
