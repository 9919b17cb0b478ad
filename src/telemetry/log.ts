/**
 * Structured logging in Istio's text layout or as JSON.
 *
 * One line per event: a constant message, the data as fields. Levels are set per scope, as
 * `--log_output_level=default:info,xdsproxy:debug` does.
 */

import type { LogRecord } from "./journal.ts";

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
  /** Scopes whose lines name the line of code that wrote them; `all` is every scope. */
  readonly callers?: readonly string[];
  /** Level per scope from which on a line has the stack below it; none unless told. */
  readonly stackLevels?: Readonly<Record<string, LogLevel>>;
  readonly write: (line: string) => void;
  /** Gets each event from `info` on, whatever the levels say. */
  readonly keep?: (record: LogRecord) => void;
  readonly now: () => Date;
}

/** True for the name of a level. */
export function isLogLevel(text: string): text is LogLevel {
  return Object.hasOwn(severities, text);
}

/** A logger for scope `default`. */
export function createLogger(options: LogOptions): Logger {
  return scoped(options, "default");
}

function scoped(options: LogOptions, scope: string): Logger {
  const level = levelOf(options.levels, scope, "info");
  const stackLevel = levelOf(options.stackLevels ?? {}, scope, "none");
  const namesCaller = options.callers?.some((name) => name === scope || name === "all") === true;
  const format = options.json ? jsonLine : textLine;
  const at = (severity: Exclude<LogLevel, "none" | "fatal">) => {
    const write = (message: string, fields: LogFields = {}): void => {
      const isKept = options.keep !== undefined && severities[severity] >= severities.info;
      const isWritten = severities[severity] >= severities[level];
      if (!isKept && !isWritten) return;
      const now = options.now();
      if (isKept) options.keep?.({ at: now.toISOString(), level: severity, scope, message, fields });
      if (!isWritten) return;
      const hasStack = severities[severity] >= severities[stackLevel];
      const frames = namesCaller || hasStack ? callSites(write) : [];
      options.write(
        format(
          {
            time: timestamp(now),
            level: severity,
            scope,
            caller: namesCaller ? shortLocation(frames[0]) : undefined,
            message,
            stack: hasStack ? frames.join("\n") : undefined,
          },
          fields,
        ),
      );
    };
    return write;
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    scope: (name) => scoped(options, name),
  };
}

/** Why a program ends: a line that is written whether there is a logger or not. */
export interface FatalEntry {
  readonly message: string;
  /** What JSON has beside the message. */
  readonly fields: LogFields;
  /** The same for a person, as it is to be read; nothing is quoted in it. */
  readonly text: string;
  /** Frames, where an error was thrown. */
  readonly stack?: string | undefined;
}

/** In the layout of the log. */
export function fatalLine({ message, fields, text, stack }: FatalEntry, json: boolean, now: Date): string {
  const entry = {
    time: timestamp(now),
    level: "fatal",
    scope: "default",
    caller: undefined,
    stack: stack === "" ? undefined : stack,
  };
  if (json) return jsonLine({ ...entry, message }, fields);
  return textLine({ ...entry, message: text === "" ? message : `${message}\t${text}` }, {});
}

function levelOf(levels: Readonly<Record<string, LogLevel>>, scope: string, fallback: LogLevel): LogLevel {
  return levels["all"] ?? levels[scope] ?? levels["default"] ?? fallback;
}

/** The frames from the caller of `below` on, as V8 prints them. */
function callSites(below: (message: string) => void): readonly string[] {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, below);
  return (holder.stack ?? "")
    .split("\n")
    .slice(1)
    .map((frame) => frame.trim());
}

/** `folder/file.ts:12` of a frame. */
function shortLocation(frame = ""): string {
  return /((?:[^/()]+\/)?[^/()]+:\d+):\d+\)?$/.exec(frame)?.[1] ?? "unknown";
}

/** One line to write, but for its data. */
interface Entry {
  readonly time: string;
  readonly level: string;
  readonly scope: string;
  readonly caller: string | undefined;
  readonly message: string;
  readonly stack: string | undefined;
}

function timestamp(now: Date): string {
  // Istio prints microseconds; JavaScript's clock has milliseconds.
  return now.toISOString().replace("Z", "000Z");
}

function textLine({ time, level, scope, caller, message, stack }: Entry, fields: LogFields): string {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined);
  const data = pairs.map(([key, value]) => `${key}=${textValue(value)}`).join(" ");
  const parts = [time, level, scope === "default" ? undefined : scope, caller, message, data || undefined];
  const line = parts.filter((part) => part !== undefined).join("\t");
  return `${line}\n${stack === undefined ? "" : `${stack}\n`}`;
}

function textValue(value: string | number | boolean | undefined): string {
  const text = String(value);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

function jsonLine({ time, level, scope, caller, message, stack }: Entry, fields: LogFields): string {
  return `${JSON.stringify({ level, time, scope, caller, msg: message, ...fields, stack })}\n`;
}
