/** What a call of `outrider iptables` asks for: flags and variables as options and plan, or every problem. */
import { givenSettings } from "../../capture/options/given.ts";
import { readCaptureOptions } from "../../capture/options/read-options.ts";
import { readRunOptions, type RunOptions, runSettings } from "../../capture/options/run-settings.ts";
import { type CaptureSetting, captureSettings } from "../../capture/options/settings.ts";
import { readPlace } from "../../capture/place.ts";
import type { CapturePlan } from "../../capture/plan/plan.ts";
import { planCapture } from "../../capture/plan/plan-capture.ts";
import type { Arguments, CommandContext } from "../../command/command.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";

/** A call, or what is wrong with it. */
export type IptablesCall =
  | {
      readonly kind: "valid";
      readonly plan: CapturePlan;
      readonly run: RunOptions;
      readonly warnings: readonly string[];
    }
  | { readonly kind: "invalid"; readonly problems: readonly ConfigProblem[] };

/** Reads users, groups, addresses and name servers of this place too. */
export function readCall(args: Arguments, { env }: Pick<CommandContext, "env">): IptablesCall {
  const sources = { flag: flagTexts(args), env };
  const problems: ConfigProblem[] = [];
  const run = readRunOptions(givenSettings(runSettings, sources), problems);
  const settings = givenSettings(captureSettings, sources);
  const capture = readCaptureOptions(settings, readPlace(settings.proxyUser.text));
  if (capture.kind === "invalid") problems.push(...capture.problems);
  return capture.kind === "invalid" || problems.length > 0
    ? { kind: "invalid", problems }
    : { kind: "valid", plan: planCapture(capture.options), run, warnings: capture.warnings };
}

function flagTexts(args: Arguments): (name: string) => string | undefined {
  const rows: readonly CaptureSetting[] = [...Object.values(captureSettings), ...Object.values(runSettings)];
  const switches = new Set(rows.flatMap(({ flag, boolean }) => (boolean === true ? flag : undefined) ?? []));
  return (name) => {
    if (!switches.has(name)) return args.optionalString(name);
    return args.given(name) || args.boolean(name) ? String(args.boolean(name)) : undefined;
  };
}
