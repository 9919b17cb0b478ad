/**
 * The flags about the log, which every command of pilot-agent takes: templates give them to all alike. A command that
 * writes no log passes over them.
 */
import type { LogFlags } from "../config/sources/proxy-flags.ts";
import type { Arguments, Flag } from "../command/command.ts";

/** In the order in which help lists them. */
export const logFlags = {
  log_output_level: { type: "string", default: "default:info", describe: "Log levels as scope:level,…" },
  log_as_json: { type: "boolean", default: false, describe: "Log as JSON, Envoy's log included." },
  log_target: {
    type: "string",
    array: true,
    describe:
      "Where the log goes: stdout, stderr or a file; give it several times for several (default stdout).",
  },
  log_caller: {
    type: "string",
    default: "",
    describe: "Scopes whose log lines name the line of code that wrote them: scope,… or all.",
  },
  log_stacktrace_level: {
    type: "string",
    default: "default:none",
    describe: "Levels as scope:level,… from which on a log line has the stack below it.",
  },
} as const satisfies Readonly<Record<string, Flag>>;

/** The flags as they were given. */
export function readLogFlags(args: Arguments): LogFlags {
  return {
    outputLevel: args.string("log_output_level"),
    asJson: args.boolean("log_as_json"),
    targets: args.strings("log_target"),
    callers: args.string("log_caller"),
    stacktraceLevel: args.string("log_stacktrace_level"),
  };
}
