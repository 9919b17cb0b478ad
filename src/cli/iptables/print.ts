/** The plan as text: for a program that applies it, for a person, or as JSON. */
import { explanation } from "../../capture/render/explanation.ts";
import { iptablesText } from "../../capture/render/iptables.ts";
import { nftScript } from "../../capture/render/nft.ts";
import type { Arguments, CommandContext } from "../../command/command.ts";
import { writeGivenPath } from "../../files/given-path.ts";
import type { IptablesCall } from "./call.ts";

/** False where nothing was to be printed: the plan is to be applied. */
export function printPlan(
  args: Arguments,
  { plan, run }: Extract<IptablesCall, { readonly kind: "valid" }>,
  context: Pick<CommandContext, "print">,
): boolean {
  if (args.boolean("json")) context.print(JSON.stringify({ version: 1, plan }, undefined, 2));
  else if (args.boolean("explain")) for (const line of explanation(plan)) context.print(line);
  else if (run.dryRun) {
    const text = run.nativeNftables ? nftScript(plan) : iptablesText(plan);
    context.print(text.trimEnd());
    if (run.dryRunFile !== undefined) writeGivenPath(run.dryRunFile, text);
  } else return false;
  return true;
}
