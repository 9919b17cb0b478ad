/**
 * `outrider reload`: have the agent of this pod read its configuration again.
 */
import { unusableCode } from "../command/exit-codes.ts";
import { agentFlags } from "./agent-flags.ts";
import type { Arguments, Command, CommandContext } from "../command/command.ts";

/** Longest wait for the answer, in milliseconds: a swap waits until the Envoy replaced before has gone. */
const answerMs = 300_000;

/** Prints what became of it as JSON; exit code 0 when the wanted Envoy serves, else 1. */
export const reloadCommand: Command = {
  name: "reload",
  describe: "Have the agent read its configuration again; Envoy is swapped if that gives another one.",
  summary: "Have the agent read its configuration again",
  exitCodes: [
    { code: 0, meaning: "the wanted Envoy serves" },
    { code: 1, meaning: "it does not, or the agent does not answer" },
  ],
  flags: {
    ...agentFlags,
  },
  run: reload,
};

async function reload(args: Arguments, context: CommandContext): Promise<number> {
  const [{ statusPortOf }, { AgentClient }, { reloadRoute }, { agentFailure }] = await Promise.all([
    import("../beside/find-agent.ts"),
    import("../status/client.ts"),
    import("../status/routes/reload.ts"),
    import("./agent-failure.ts"),
  ]);
  const port = statusPortOf(args, context);
  if (port === undefined) return unusableCode;
  try {
    const waiting = { withinMs: answerMs, signal: context.shutdown };
    const report = await AgentClient.onPort(port).ask(reloadRoute, waiting);
    context.print(JSON.stringify(report));
    return report.result === "swapped" || report.result === "unchanged" ? 0 : 1;
  } catch (error) {
    context.printError(agentFailure(port, error));
    return 1;
  }
}
