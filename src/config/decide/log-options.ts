/**
 * The flags about the log, in Istio's notation.
 */
import type { LogFlags } from "../sources/log-flags.ts";
import { isLogLevel, type LogLevel, type LogOptions } from "../../telemetry/log.ts";
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";

/** How the log is written, and where to. */
export interface LogConfig extends Omit<LogOptions, "write" | "now"> {
  readonly targets: readonly string[];
}

/** Every level that is none adds a problem. */
export function logConfig(flags: LogFlags, problems: ConfigProblem[]): LogConfig {
  const targets = flags.log_target;
  return {
    json: flags.log_as_json,
    levels: parseLogLevels("--log_output_level", flags.log_output_level, "info", problems),
    callers: flags.log_caller.split(",").map((scope) => scope.trim()),
    stackLevels: parseLogLevels("--log_stacktrace_level", flags.log_stacktrace_level, "none", problems),
    targets: targets.length === 0 ? ["stdout"] : targets,
  };
}

/** Levels per scope; a level without a scope is the default's, and that of `all` overrides every scope. */
function parseLogLevels(
  source: string,
  text: string,
  fallback: LogLevel,
  problems: ConfigProblem[],
): Readonly<Record<string, LogLevel>> {
  const levels = new Map<string, LogLevel>([["default", fallback]]);
  for (const item of text.split(",").filter((part) => part.trim() !== "")) {
    const [scope = "", level] = item.split(":").map((part) => part.trim());
    const [name, value] = level === undefined ? ["default", scope] : [scope, level];
    if (isLogLevel(value)) levels.set(name, value);
    else {
      problems.push({
        source,
        path: "",
        message: `${shown(item)} is not scope:level with one of debug, info, warn, error, fatal, none`,
      });
    }
  }
  const all = levels.get("all");
  return all === undefined ? Object.fromEntries(levels) : { default: all };
}
