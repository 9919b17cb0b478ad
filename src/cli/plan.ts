/**
 * `outrider plan`: what a start or a reload would do now.
 */
import { unusableCode } from "../command/exit-codes.ts";
import { readSystemVariables } from "../schema/system-variables.ts";
import { join } from "node:path";
import type { Plan } from "../plan/plan.ts";
import type { Command, CommandContext } from "../command/command.ts";
import { nameFlag } from "./agent-flags.ts";
import { planLines } from "./plan-lines.ts";
import { calledWith, proxyCommand } from "./proxy.ts";
import { version } from "../command/version.ts";

/** Exit codes for scripts. */
const exitCodes = { unchanged: 0, failed: 1, changed: 2, unusable: unusableCode } as const;

/** Takes what `proxy` takes, so that it plans with what `proxy` would run with. */
export const planCommand: Command = {
  name: "plan",
  usage: "[type]",
  wordValues: { type: ["sidecar", "router"] },
  describe:
    "Show what a start or a reload would do now: Envoy's arguments, the bootstrap's diff, the swap mode.",
  allowUnknown: true,
  summary: "What a start or a reload would do",
  exitCodes: [
    { code: 0, meaning: "nothing would change" },
    { code: 1, meaning: "the plan could not be made" },
    { code: 2, meaning: "Envoy would be started or replaced" },
    {
      code: 64,
      meaning:
        "the configuration cannot be used, or Envoy would be refused; a running one serves on as it is",
    },
  ],
  flags: {
    ...proxyCommand.flags,
    ...nameFlag,
    json: { type: "boolean", default: false, describe: "Print the plan as JSON." },
  },
  async run(args, given) {
    const [
      { makePlan, refusal },
      { parseConfig },
      { ConfigError, describeProblem },
      { privateContext },
      { lookAround },
      { agentArguments },
    ] = await Promise.all([
      import("../plan/plan.ts"),
      import("../config/parse-config.ts"),
      import("../schema/config-problem.ts"),
      import("../beside/private-context.ts"),
      import("../config/surroundings.ts"),
      import("./agent-arguments.ts"),
    ]);
    const asJson = args.boolean("json");
    const planned = await agentArguments(args, given);
    if (planned === undefined) return exitCodes.unusable;
    // A reload is planned with what its caller has changed.
    const { env } = planned.isElsewhere ? planned : given;
    const { context, readFile } = privateContext(given, env);
    const sources = { ...calledWith(planned.args), env, readFile };
    try {
      const config = parseConfig({
        ...sources,
        ...(await lookAround(sources, undefined, planned.agentPid)),
        templatePath: join(context.templates, "sidecar.yaml"),
        version,
      });
      return show(await makePlan(config, env), planned.agentPid, asJson, context);
    } catch (error) {
      if (error instanceof ConfigError) {
        return show(refusal(error.problems.map(describeProblem)), planned.agentPid, asJson, context);
      }
      const { errorMessage } = await import("../lifecycle/error-message.ts");
      context.printError(`outrider cannot plan: ${errorMessage(error)}`);
      return exitCodes.failed;
    }
  },
};

function show(plan: Plan, flagsOf: number | undefined, asJson: boolean, context: CommandContext): number {
  if (asJson) context.print(toJson(plan, flagsOf));
  else {
    const colour = context.terminal !== undefined && readSystemVariables(context.env).NO_COLOR === "";
    for (const line of planLines(plan, flagsOf, colour)) context.print(line);
  }
  switch (plan.action.kind) {
    case "none":
      return exitCodes.unchanged;
    case "start":
    case "swap":
      return exitCodes.changed;
    case "refuse":
      return exitCodes.unusable;
  }
}

/** Fields are only ever added. */
function toJson({ action: { kind, ...why }, ...plan }: Plan, flagsOf: number | undefined): string {
  return JSON.stringify(
    { version: 1, outrider: version, flagsOf, action: kind, ...why, ...plan },
    undefined,
    2,
  );
}
