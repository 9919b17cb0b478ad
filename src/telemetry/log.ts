/**
 * Structured logging in Istio's text layout or as JSON.
 *
 * One line per event: a constant message, the data as fields. Levels are set per scope, as
 * `--log_output_level=default:info,xdsproxy:debug` does.
 */
import { writeSync } from "node:fs";

const severities = { debug: 0, info: 1, warn: 2, error: 3, fatal: 4, none: 5 } as const;

/** Least severity that is written. */
export type LogLevel = keyof typeof severities;

/** Data of one event. Values are written as they are, so no secret may be among them. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where a part writes its events. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same sink under another scope. */
  scope(name: string): Logger;
}

/** How and how much is written. */
export interface LogOptions {
  readonly json: boolean;
  /** Level per scope; `default` is the fallback, `all` overrides every scope. */
  readonly levels: Readonly<Record<string, LogLevel>>;
  readonly write: (line: string) => void;
  readonly now: () => Date;
}

/** True for the name of a level. */
export function isLogLevel(text: string): text is LogLevel {
  return Object.hasOwn(severities, text);
}

/** Write to standard output without buffering, so that the last line before an exit is not lost. */
export function writeToStdout(line: string): void {
  try {
    writeSync(1, line);
  } catch {
    // A closed or full pipe must not take the agent down.
  }
}

/** A logger for scope `default`. */
export function createLogger(options: LogOptions): Logger {
  return scoped(options, "default");
}

function scoped(options: LogOptions, scope: string): Logger {
  const level = options.levels["all"] ?? options.levels[scope] ?? options.levels["default"] ?? "info";
  const at =
    (severity: Exclude<LogLevel, "none" | "fatal">) =>
    (message: string, fields: LogFields = {}): void => {
      if (severities[severity] < severities[level]) return;
      const format = options.json ? jsonLine : textLine;
      options.write(format(options.now(), severity, scope, message, fields));
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    scope: (name) => scoped(options, name),
  };
}

function timestamp(now: Date): string {
  // Istio prints microseconds; JavaScript's clock has milliseconds.
  return now.toISOString().replace("Z", "000Z");
}

function textLine(now: Date, level: string, scope: string, message: string, fields: LogFields): string {
  const where = scope === "default" ? "" : `\t${scope}`;
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined);
  const data = pairs.map(([key, value]) => `${key}=${textValue(value)}`).join(" ");
  return `${timestamp(now)}\t${level}${where}\t${message}${data === "" ? "" : `\t${data}`}\n`;
}

function textValue(value: string | number | boolean | undefined): string {
  const text = String(value);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

function jsonLine(now: Date, level: string, scope: string, message: string, fields: LogFields): string {
  return `${JSON.stringify({ level, time: timestamp(now), scope, msg: message, ...fields })}\n`;
}
