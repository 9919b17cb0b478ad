/**
 * `outrider iptables` and `outrider clean-iptables`: traffic capture, as Istio's init container sets it up.
 */
import { unusableCode } from "../command/exit-codes.ts";
import type { Arguments, Command, CommandContext, Flag } from "../command/command.ts";
import { runSettings } from "../capture/options/run-settings.ts";
import { type CaptureSetting, captureSettings } from "../capture/options/settings.ts";

/** The flags of settings. */
function flagsOf(settings: Readonly<Record<string, CaptureSetting>>): Readonly<Record<string, Flag>> {
  const rows = Object.values<CaptureSetting>(settings).flatMap((row): [string, Flag][] => {
    const { flag, alias, boolean, default: fallback, describe } = row;
    if (flag === undefined) return [];
    const help = fallback === "" || boolean === true ? describe : `${describe} Default ${fallback}.`;
    return [
      [
        flag,
        {
          type: boolean === true ? "boolean" : "string",
          describe: help,
          ...(alias === undefined ? {} : { alias }),
        },
      ],
    ];
  });
  return Object.fromEntries(rows);
}

const iptablesFlags = {
  ...flagsOf(captureSettings),
  ...flagsOf(runSettings),
  explain: {
    type: "boolean",
    default: false,
    describe: "Print what each rule does and why, and change nothing.",
  },
  json: { type: "boolean", default: false, describe: "Print the plan as JSON, and change nothing." },
} as const satisfies Readonly<Record<string, Flag>>;

/** Exit code 0 when the rules are there, 64 when a value is wrong, else 1. */
export const iptablesCommand: Command = {
  name: "iptables",
  describe: "Capture this pod's traffic: rules that bring connections to Envoy. Needs NET_ADMIN and NET_RAW.",
  flags: iptablesFlags,
  run: (args, context) => runIptables(args, context, false),
};

/** Exit code 0 when no rule of ours is left. */
export const cleanIptablesCommand: Command = {
  name: "clean-iptables",
  describe: "Take the rules of traffic capture out again, and leave every other one.",
  flags: iptablesFlags,
  run: (args, context) => runIptables(args, context, true),
};

/** Istio's names for the same. */
export const istioIptablesCommand: Command = {
  ...iptablesCommand,
  name: "istio-iptables",
  describe: "The same as `iptables`, under Istio's name.",
};

/** Istio 1.5's name for cleaning. */
export const istioCleanIptablesCommand: Command = {
  ...cleanIptablesCommand,
  name: "istio-clean-iptables",
  describe: "The same as `clean-iptables`, under Istio's name.",
};

async function runIptables(args: Arguments, context: CommandContext, isCleanup: boolean): Promise<number> {
  const [{ readCall }, { describeProblem }] = await Promise.all([
    import("./iptables/call.ts"),
    import("../schema/config-problem.ts"),
  ]);
  const call = readCall(args, context);
  if (call.kind === "invalid") {
    for (const problem of call.problems) context.printError(describeProblem(problem));
    return unusableCode;
  }
  for (const warning of call.warnings) context.printError(warning);
  if (call.run.runValidation) context.printError("--run-validation has no effect: no proof is made");
  if (!isCleanup && !call.run.cleanupOnly) {
    const { printPlan } = await import("./iptables/print.ts");
    if (printPlan(args, call, context)) return 0;
    if (call.run.skipRuleApply) return 0;
  }
  const { changeRules } = await import("./iptables/change-rules.ts");
  return changeRules(call, isCleanup || call.run.cleanupOnly, context);
}
