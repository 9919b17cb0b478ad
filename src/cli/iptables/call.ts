/** What a call of `outrider iptables` asks for: flags and variables as options and plan, or every problem. */
import type { TproxyRoute } from "../../capture/apply/routes.ts";
import { toolsIn } from "../../capture/apply/tool.ts";
import { givenSettings } from "../../capture/options/given.ts";
import { readCaptureOptions } from "../../capture/options/read-options.ts";
import { readRunOptions, type RunOptions, runSettings } from "../../capture/options/run-settings.ts";
import { type CaptureSetting, captureSettings } from "../../capture/options/settings.ts";
import { readPlace, readPlaceIn } from "../../capture/place.ts";
import type { CapturePlan } from "../../capture/plan/plan.ts";
import { planCapture } from "../../capture/plan/plan-capture.ts";
import type { Arguments, CommandContext } from "../../command/command.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";

/** A call, or what is wrong with it. */
export type IptablesCall =
  | {
      readonly kind: "valid";
      readonly plan: CapturePlan;
      /** Which routes TPROXY has, or had. */
      readonly tproxy: TproxyRoute;
      readonly run: RunOptions;
      /** Of Envoy and the agent. */
      readonly proxyUids: readonly number[];
      readonly warnings: readonly string[];
    }
  | { readonly kind: "invalid"; readonly problems: readonly ConfigProblem[] };

/** Reads users, groups, addresses and name servers of this place too. */
export async function readCall(args: Arguments, { env }: Pick<CommandContext, "env">): Promise<IptablesCall> {
  const sources = { flag: flagTexts(args, [captureSettings, runSettings]), env };
  const problems: ConfigProblem[] = [];
  const run = readRunOptions(givenSettings(runSettings, sources), problems);
  const settings = givenSettings(captureSettings, sources);
  const { networkNamespace } = run;
  const proxyUser = settings.proxyUser.text;
  const place =
    networkNamespace === undefined
      ? readPlace(proxyUser)
      : await readPlaceIn(toolsIn(networkNamespace), proxyUser);
  if (typeof place === "string") {
    problems.push({ source: "--network-namespace", path: "", message: place });
    return { kind: "invalid", problems };
  }
  const capture = readCaptureOptions(settings, place);
  if (capture.kind === "invalid") problems.push(...capture.problems);
  if (capture.kind === "invalid" || problems.length > 0) return { kind: "invalid", problems };
  const { options, warnings } = capture;
  return {
    kind: "valid",
    plan: planCapture(options),
    tproxy: { mark: options.tproxyMark, table: options.tproxyRouteTable },
    run,
    proxyUids: options.proxyUids,
    warnings,
  };
}

/** The text of a flag of these settings, undefined where it was not given. */
export function flagTexts(
  args: Arguments,
  settings: readonly Readonly<Record<string, CaptureSetting>>[],
): (name: string) => string | undefined {
  const rows = settings.flatMap((each) => Object.values(each));
  const switches = new Set(rows.flatMap(({ flag, boolean }) => (boolean === true ? flag : undefined) ?? []));
  return (name) => {
    if (!switches.has(name)) return args.optionalString(name);
    return args.given(name) || args.boolean(name) ? String(args.boolean(name)) : undefined;
  };
}
