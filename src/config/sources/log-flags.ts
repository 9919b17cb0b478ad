/**
 * The flags about the log, which every command of pilot-agent takes: templates give them to all alike. A command that
 * writes no log passes over them.
 */
import { flag, type SettingValues, text, texts } from "../../schema/setting.ts";

/** In the order in which help lists them. */
export const logFlags = {
  log_output_level: text("default:info", "Log levels as scope:level,…"),
  log_as_json: flag(false, "Log as JSON, Envoy's log included."),
  log_target: texts(
    "Where the log goes: stdout, stderr or a file; give it several times for several (default stdout).",
  ),
  log_caller: text("", "Scopes whose log lines name the line of code that wrote them: scope,… or all."),
  log_stacktrace_level: text(
    "default:none",
    "Levels as scope:level,… from which on a log line has the stack below it.",
  ),
} as const;

/** Their values. */
export type LogFlags = SettingValues<typeof logFlags>;
