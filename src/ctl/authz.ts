/**
 * `outriderctl authz check`: the policies that an Envoy has, as it enforces them.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { askingCodes, telling } from "./failure.ts";
import { outputFlag, outputForm, printValue } from "./output.ts";
import { proxyFlags } from "./proxy/flags.ts";

/** istioctl's table. */
export const authzCommand: Command = {
  name: "authz",
  usage: "<check> [proxy]",
  wordValues: { check: ["check"] },
  describe:
    "Show the AuthorizationPolicies that an Envoy enforces, in the order in which they decide, and how many rules of each. " +
    "Examples: outriderctl authz check api-1.demo; outriderctl authz check --file dump.json -o json",
  summary: "Which policies an Envoy enforces",
  exitCodes: askingCodes,
  flags: { ...outputFlag, ...proxyFlags },
  run: (args, context) => telling(() => show(args, context), context),
};

async function show(args: Arguments, context: CommandContext): Promise<number> {
  const form = outputForm(args, context);
  const [word = "", name] = args.words;
  if (word !== "check") context.printError(`${word} is not check: outriderctl authz check PROXY`);
  if (form === undefined || word !== "check") return unusableCode;
  const [{ proxyOf }, { enforcedPolicies }, { table }] = await Promise.all([
    import("./proxy/find.ts"),
    import("./describe/policies.ts"),
    import("./table.ts"),
  ]);
  using proxy = await proxyOf(args, name, context);
  if (proxy === undefined) return unusableCode;
  const policies = enforcedPolicies(await proxy.configDump());
  if (form !== "text") await printValue({ policies }, form, context);
  else if (policies.length === 0) context.print(`${proxy.name} enforces no AuthorizationPolicy`);
  else {
    const rows = policies.map(({ action, policy, rules }) => [action, policy, String(rules)]);
    for (const line of table([["ACTION", "AuthorizationPolicy", "RULES"], ...rows], 3)) context.print(line);
  }
  return 0;
}
