/**
 * `outrider env`: every environment variable of the agent, with its value here.
 */
import type { ConfigProblem } from "../schema/config-problem.ts";
import type { Command } from "../command/command.ts";

/** Reads the environment that it is called in, as the agent would. */
export const envCommand: Command = {
  name: "env",
  describe: "Print every environment variable that the agent reads, its value here, and what it means.",
  summary: "Variables that the agent reads, and their values",
  exitCodes: [{ code: 0, meaning: "they were printed" }],
  flags: {
    json: { type: "boolean", default: false, describe: "Print them as JSON." },
    set: { type: "boolean", default: false, describe: "Only those that are set here." },
  },
  async run(args, context) {
    const [
      { readEnvironment, variables },
      { ownFlags },
      { variableOf },
      { readProxyFlags },
      { unreadVariables },
      { describeProblem },
    ] = await Promise.all([
      import("../config/sources/environment.ts"),
      import("../config/sources/own-flags.ts"),
      import("../schema/own-variables.ts"),
      import("../config/sources/proxy-flags.ts"),
      import("../config/sources/unread-variables.ts"),
      import("../schema/config-problem.ts"),
    ]);
    const warnings: string[] = [];
    const problems: ConfigProblem[] = [];
    const values: Readonly<Record<string, unknown>> = readEnvironment(context.env, warnings, problems);
    readProxyFlags({ env: context.env, flags: {}, readFile: () => ({ kind: "missing" }) }, problems);
    warnings.push(...problems.map(describeProblem));
    const rows = [
      ...Object.entries(variables).map(([name, { describe, kind }]) => ({
        name,
        value: values[name] ?? null,
        unit: kind.startsWith("a duration") ? "ms" : "",
        effect: "read",
        describe,
      })),
      ...Object.entries(ownFlags).map(([flag, { describe, defaultText }]) => ({
        name: variableOf(flag),
        value: context.env[variableOf(flag)] || defaultText,
        unit: "",
        effect: "read",
        describe: `--${flag}: ${describe}`,
      })),
      ...Object.entries(unreadVariables).map(([name, { kind, because }]) => ({
        name,
        value: context.env[name] ?? null,
        unit: "",
        effect: kind,
        describe: `${kind}: ${because}`,
      })),
    ]
      .map((row) => ({ ...row, isSet: context.env[row.name] !== undefined }))
      .filter(({ isSet }) => isSet || !args.boolean("set"));
    if (args.boolean("json"))
      context.print(JSON.stringify({ version: 1, variables: rows, warnings }, undefined, 2));
    else {
      for (const { name, value, unit, isSet, describe } of rows) {
        const shown = value === null ? "" : `${JSON.stringify(value)}${unit === "" ? "" : ` ${unit}`}`;
        context.print(`${name}=${shown}${isSet ? "" : " (default)"}\n    ${describe}`);
      }
      for (const warning of warnings) context.printError(warning);
    }
    return 0;
  },
};
