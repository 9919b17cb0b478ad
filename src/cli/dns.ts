/**
 * `outrider dns HOST [TYPE]`: how the DNS proxy of this pod answers a name, from where, by which rule, and what the upstream
 * servers said.
 */
import { unusableCode } from "../command/exit-codes.ts";
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { agentFlags } from "./agent-flags.ts";

/** Longest time for all that is tried, in milliseconds. */
const withinMs = 60_000;

/** Exit code 0 when the name has records, 1 when it has none, or the agent does not answer or has no DNS proxy. */
export const dnsCommand: Command = {
  name: "dns",
  usage: "<host> [type]",
  wordValues: { type: ["A", "AAAA", "CNAME", "SRV", "TXT", "PTR", "MX", "NS"] },
  describe:
    "Show how the DNS proxy answers a name as an application would ask for it: each name that is tried, from where it is " +
    "answered and by which rule, and what the upstream servers said.",
  summary: "How the DNS proxy answers a name, and why",
  exitCodes: [
    { code: 0, meaning: "the name has records" },
    { code: 1, meaning: "it has none, or the agent does not answer or has no DNS proxy" },
  ],
  flags: {
    ...agentFlags,
    json: { type: "boolean", default: false, describe: "One JSON object." },
  },
  run: showAnswer,
};

async function showAnswer(args: Arguments, context: CommandContext): Promise<number> {
  const [name, type = "A"] = args.words;
  if (name === undefined) {
    context.printError("say the name that is to be looked up");
    return unusableCode;
  }
  const [{ statusPortOf }, { AgentClient }, { explainRoute }, { explanationLines }, { agentFailure }] =
    await Promise.all([
      import("../beside/find-agent.ts"),
      import("../status/client.ts"),
      import("../dns/report/routes.ts"),
      import("./dns-lines.ts"),
      import("./agent-failure.ts"),
    ]);
  const port = statusPortOf(args, context);
  if (port === undefined) return unusableCode;
  try {
    const query = new URLSearchParams({ name, type });
    const explanation = await AgentClient.onPort(port).ask(
      { ...explainRoute, path: `${explainRoute.path}?${query.toString()}` },
      { withinMs, signal: context.shutdown },
    );
    if (args.boolean("json")) context.print(JSON.stringify(explanation));
    else for (const line of explanationLines(explanation)) context.print(line);
    return explanation.tried.some(({ records }) => records.length > 0) ? 0 : 1;
  } catch (error) {
    context.printError(agentFailure(port, error));
    return 1;
  }
}
