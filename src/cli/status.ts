/**
 * `outrider status`: whether the sidecar of this pod serves and why not, what it has, and what has happened.
 */
import { parseDurationMs } from "../schema/duration.ts";
import { unusableCode } from "../command/exit-codes.ts";
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { agentFlags } from "./agent-flags.ts";

/** Exit codes, for scripts. */
const exitCodes = { ready: 0, notReady: 1, noAgent: 2 } as const;

/** Between two looks with --watch, in milliseconds. */
const watchMs = 1_000;

/** Lines of the log without --since. */
const usualEvents = 10;

/** Prints one screen; exit code 0 when the sidecar is ready, 1 when it is not, 2 when no agent answers. */
export const statusCommand: Command = {
  name: "status",
  describe:
    "Show whether the sidecar is ready and why not, its identity, what it has from the control plane, Envoy, and what " +
    "has happened: exit code 0 when it is ready, 1 when it is not, 2 when no agent answers.",
  summary: "Is it ready, why not, and what has happened",
  exitCodes: [
    { code: 0, meaning: "it is ready" },
    { code: 1, meaning: "it is not ready" },
    { code: 2, meaning: "no agent answers" },
  ],
  flags: {
    ...agentFlags,
    watch: { type: "boolean", default: false, describe: "Go on looking, until interrupted." },
    since: {
      type: "string",
      describe: "All that happened in this time, such as 11m, instead of the last ten events.",
    },
    json: { type: "boolean", default: false, describe: "One JSON object." },
    names: {
      type: "boolean",
      default: false,
      describe: "Only the names of the agents that run here, one a line, as --name takes them.",
    },
  },
  run: showStatus,
};

async function showStatus(args: Arguments, given: CommandContext): Promise<number> {
  if (args.boolean("names")) {
    const { agentsHere } = await import("../beside/find-agent.ts");
    const agents = agentsHere(args, given);
    for (const { name } of agents) given.print(name);
    return agents.length === 0 ? exitCodes.noAgent : exitCodes.ready;
  }
  const sinceMs = sinceOf(args);
  if (sinceMs === undefined) {
    given.printError("--since must be a duration such as 90s or 11m");
    return unusableCode;
  }
  const [
    { privateContext },
    { statusPortOf },
    { lookAtAgent },
    { statusLines },
    { agentFailure },
    { sleep },
  ] = await Promise.all([
    import("../beside/private-context.ts"),
    import("../beside/find-agent.ts"),
    import("./status/look.ts"),
    import("./status/lines.ts"),
    import("./agent-failure.ts"),
    import("../lifecycle/sleep.ts"),
  ]);
  const { context, readFile } = privateContext(given);
  const port = statusPortOf(args, context, readFile);
  if (port === undefined) return unusableCode;
  const isWatching = args.boolean("watch");
  using screen =
    isWatching && context.terminal !== undefined && !args.boolean("json")
      ? new (await import("../command/screen.ts")).Screen(context.terminal)
      : undefined;
  for (;;) {
    let code: number = exitCodes.noAgent;
    let lines: readonly string[];
    try {
      const look = await lookAtAgent(port, context.shutdown);
      const now = new Date();
      const events = look.log.filter(({ at }) => now.getTime() - Date.parse(at) <= sinceMs);
      const shown = { ...look, log: args.given("since") ? events : look.log.slice(-usualEvents) };
      code = look.report.ready ? exitCodes.ready : exitCodes.notReady;
      lines = args.boolean("json") ? [JSON.stringify(shown)] : statusLines(shown, now);
    } catch (error) {
      if (context.shutdown.aborted) return code;
      lines = [agentFailure(port, error)];
    }
    if (screen !== undefined) screen.draw(lines);
    else for (const line of lines) (code === exitCodes.noAgent ? context.printError : context.print)(line);
    if (!isWatching) return code;
    await sleep(watchMs, context.shutdown);
    if (context.shutdown.aborted) return code;
  }
}

/** In milliseconds; everything without --since, undefined for what is no duration. */
function sinceOf(args: Arguments): number | undefined {
  const text = args.optionalString("since");
  return text === undefined ? Infinity : parseDurationMs(text);
}
