/**
 * `--log_output_level` in Istio's notation: `default:info,xdsproxy:debug`.
 */
import { isLogLevel, type LogLevel } from "../telemetry/log.ts";
import type { ConfigProblem } from "./config-problem.ts";

/** Levels per scope; a level without a scope is the default's, and that of `all` overrides every scope. */
export function parseLogLevels(text: string, problems: ConfigProblem[]): Readonly<Record<string, LogLevel>> {
  const levels: Record<string, LogLevel> = { default: "info" };
  for (const item of text.split(",").filter((part) => part.trim() !== "")) {
    const [scope = "", level] = item.split(":").map((part) => part.trim());
    const [name, value] = level === undefined ? ["default", scope] : [scope, level];
    if (isLogLevel(value)) levels[name] = value;
    else {
      problems.push({
        source: "--log_output_level",
        path: "",
        message: `${JSON.stringify(item)} is not scope:level with one of debug, info, warn, error, fatal, none`,
      });
    }
  }
  const { all } = levels;
  return all === undefined ? levels : { default: all };
}
