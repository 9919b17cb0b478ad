/**
 * `outrider iptables` and `outrider clean-iptables`: traffic capture, as Istio's init container sets it up.
 */
import { unusableCode } from "../command/exit-codes.ts";
import type { Arguments, Command, CommandContext, Flag } from "../command/command.ts";
import { captureFlags } from "./iptables/flags.ts";
import { runSettings } from "../capture/options/run-settings.ts";
import { captureSettings } from "../capture/options/settings.ts";

const iptablesFlags = {
  ...captureFlags(captureSettings),
  ...captureFlags(runSettings),
  explain: {
    type: "boolean",
    default: false,
    describe: "Print what each rule does and why, and change nothing.",
  },
  json: { type: "boolean", default: false, describe: "Print the plan as JSON, and change nothing." },
} as const satisfies Readonly<Record<string, Flag>>;

/** Exit code 0 when the rules are there, 64 when a value is wrong, 126 when they are not in force, else 1. */
export const iptablesCommand: Command = {
  name: "iptables",
  describe: "Capture this pod's traffic: rules that bring connections to Envoy. Needs NET_ADMIN and NET_RAW.",
  summary: "Capture this pod's traffic, as istio-iptables does",
  exitCodes: [
    { code: 0, meaning: "the rules are there" },
    { code: 1, meaning: "they could not be made" },
    { code: 64, meaning: "a value is wrong" },
    { code: 126, meaning: "they are not in force" },
  ],
  flags: iptablesFlags,
  run: (args, context) => runIptables(args, context, false),
};

/** Exit code 0 when no rule of ours is left. */
export const cleanIptablesCommand: Command = {
  name: "clean-iptables",
  describe: "Take the rules of traffic capture out again, and leave every other one.",
  summary: "Take the rules of traffic capture out again",
  exitCodes: [
    { code: 0, meaning: "no rule of ours is left" },
    { code: 1, meaning: "one is" },
    { code: 64, meaning: "a value is wrong" },
  ],
  flags: iptablesFlags,
  run: (args, context) => runIptables(args, context, true),
};

/** Istio's names for the same. */
export const istioIptablesCommand: Command = {
  ...iptablesCommand,
  name: "istio-iptables",
  describe: "The same as `iptables`, under Istio's name.",
  summary: "iptables, under Istio's name",
};

/** Istio 1.5's name for cleaning. */
export const istioCleanIptablesCommand: Command = {
  ...cleanIptablesCommand,
  name: "istio-clean-iptables",
  describe: "The same as `clean-iptables`, under Istio's name.",
  summary: "clean-iptables, under Istio's name",
};

async function runIptables(args: Arguments, context: CommandContext, isCleanup: boolean): Promise<number> {
  const [{ readCall }, { describeProblem }] = await Promise.all([
    import("./iptables/call.ts"),
    import("../schema/config-problem.ts"),
  ]);
  const call = await readCall(args, context);
  if (call.kind === "invalid") {
    for (const problem of call.problems) context.printError(describeProblem(problem));
    return unusableCode;
  }
  for (const warning of call.warnings) context.printError(warning);
  const { skipRuleApply, runValidation, cleanupOnly } = call.run;
  const cleans = isCleanup || cleanupOnly;
  if (!cleans) {
    const { printPlan } = await import("./iptables/print.ts");
    if (printPlan(args, call, context)) return 0;
  }
  if (cleans || !skipRuleApply) {
    const { changeRules } = await import("./iptables/change-rules.ts");
    const code = await changeRules(call, cleans, context);
    if (code !== 0 || cleans) return code;
  }
  if (!runValidation) return 0;
  const { proveRules } = await import("./iptables/prove-rules.ts");
  return proveRules(call, context);
}
