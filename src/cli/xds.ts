/**
 * `outrider xds`: what the control plane last sent to the Envoy of this pod, and what Envoy said to it.
 */
import type { AgentClient } from "../status/client.ts";
import type { Exchange } from "../xdsproxy/report/recorder.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { agentFlags } from "./agent-flags.ts";
import type { Arguments, Command, CommandContext } from "../command/command.ts";

/** Between two looks with --follow, in milliseconds. */
const followMs = 500;

/** Prints one line per exchange; exit code 1 when the agent does not answer. */
export const xdsCommand: Command = {
  name: "xds",
  describe:
    "Show the last exchanges with the control plane of each type, what Envoy said to them, and what it refuses now.",
  summary: "What the control plane said, and Envoy to that",
  exitCodes: [
    { code: 0, meaning: "it was shown" },
    { code: 1, meaning: "the agent does not answer" },
  ],
  flags: {
    ...agentFlags,
    follow: { type: "boolean", default: false, describe: "Go on with what comes, until interrupted." },
    type: { type: "string", describe: "Only types whose URL contains this, such as Cluster." },
    nacks: { type: "boolean", default: false, describe: "Only what Envoy refused." },
    json: { type: "boolean", default: false, describe: "One JSON object per line." },
  },
  run: showExchanges,
};

async function showExchanges(args: Arguments, context: CommandContext): Promise<number> {
  const [{ statusPortOf }, { AgentClient }, { exchangesRoute }, { agentFailure }, { sleep }, lines] =
    await Promise.all([
      import("../beside/find-agent.ts"),
      import("../status/client.ts"),
      import("../xdsproxy/report/exchanges-route.ts"),
      import("./agent-failure.ts"),
      import("../lifecycle/sleep.ts"),
      import("./xds-lines.ts"),
    ]);
  const port = statusPortOf(args, context);
  if (port === undefined) return unusableCode;
  const agent = AgentClient.onPort(port);
  const wanted = { type: args.optionalString("type"), nacksOnly: args.boolean("nacks") };
  const shown = new Map<number, Exchange["outcome"]>();
  for (;;) {
    try {
      const exchanges = await agent.ask(exchangesRoute, { signal: context.shutdown });
      for (const exchange of lines.selectExchanges(exchanges, wanted)) {
        if (shown.get(exchange.number) === exchange.outcome) continue;
        shown.set(exchange.number, exchange.outcome);
        context.print(args.boolean("json") ? JSON.stringify(exchange) : lines.exchangeLine(exchange));
      }
      const kept = new Set(exchanges.map(({ number }) => number));
      for (const number of shown.keys()) if (!kept.has(number)) shown.delete(number);
    } catch (error) {
      if (context.shutdown.aborted) return 0;
      context.printError(agentFailure(port, error));
      return 1;
    }
    if (!args.boolean("follow")) {
      if (!args.boolean("json")) await showRefusals(agent, wanted.type, context);
      return 0;
    }
    await sleep(followMs, context.shutdown);
    if (context.shutdown.aborted) return 0;
  }
}

/** What is refused at the end of it all; an agent of another release may not tell. */
async function showRefusals(
  agent: AgentClient,
  type: string | undefined,
  { print, shutdown }: CommandContext,
): Promise<void> {
  const [{ reportRoute }, { refusalLine }] = await Promise.all([
    import("../status/routes/report.ts"),
    import("./xds-lines.ts"),
  ]);
  try {
    const { xds } = await agent.ask(reportRoute, { signal: shutdown });
    for (const refusal of xds.refused ?? [])
      if (refusal.typeUrl.toLowerCase().includes(type?.toLowerCase() ?? "")) print(refusalLine(refusal));
  } catch {
    // The exchanges were shown.
  }
}
