/**
 * Settings of one run: what is done with the plan.
 */
import type { ConfigProblem } from "../../schema/config-problem.ts";
import { shown } from "../../schema/config-problem.ts";
import { parseDurationMs } from "../../schema/duration.ts";
import { describeDurationRange, isDurationWithin, ports, someDuration } from "../../schema/range.ts";
import { type Given, readBoolean, readNumber } from "./lists.ts";
import { type CaptureSetting, setting, switched, variable } from "./settings.ts";

/** By the names that the code has for them. */
export const runSettings = {
  dryRun: {
    ...switched("dry-run", "Print the rules, as iptables-restore or nft takes them, and change nothing."),
    alias: "n",
  },
  dryRunFile: variable("DRY_RUN_FILE_PATH", "", "File that gets what --dry-run prints."),
  skipRuleApply: switched("skip-rule-apply", "Apply nothing: a CNI plugin has done it."),
  runValidation: switched(
    "run-validation",
    "Then prove by a connection that the rules are in force; exit code 126 says that they are not.",
  ),
  probePort: setting("iptables-probe-port", "15002", "Port that this connection is sent to."),
  probeTimeout: setting("probe-timeout", "5s", "How long it is tried."),
  reconcile: switched(
    "reconcile",
    "Accepted without effect: rules of another configuration are always replaced.",
  ),
  cleanupOnly: switched("cleanup-only", "Take the rules out again, as clean-iptables does."),
  forceApply: switched("force-apply", "Apply the rules anew even where they are as they should be."),
  nativeNftables: switched("native-nftables", "Rules as nft's own tables instead of iptables'."),
  binary: setting(
    "force-iptables-binary",
    "",
    "legacy or nft, instead of the one whose rules the kernel holds.",
  ),
  networkNamespace: setting(
    "network-namespace",
    "",
    "File of the network namespace to work in; DNS capture is of all servers there.",
  ),
  cniMode: switched("cni-mode", "Called by a CNI plugin, on the node: needs --network-namespace."),
} as const satisfies Readonly<Record<string, CaptureSetting>>;

/** Name of a setting. */
export type RunSettingName = keyof typeof runSettings;

/** A back end of iptables: rules in the kernel's old tables, or in those of nf_tables. */
export type IptablesKind = "legacy" | "nft";

/** Read. */
export interface RunOptions {
  readonly dryRun: boolean;
  /** Undefined for none. */
  readonly dryRunFile: string | undefined;
  readonly skipRuleApply: boolean;
  readonly runValidation: boolean;
  readonly probePort: number;
  readonly probeTimeoutMs: number;
  readonly cleanupOnly: boolean;
  readonly forceApply: boolean;
  readonly nativeNftables: boolean;
  readonly binary: IptablesKind | undefined;
  /** Undefined for this process's own. */
  readonly networkNamespace: string | undefined;
}

function readDurationMs({ source, text }: Given, problems: ConfigProblem[]): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && isDurationWithin(ms, someDuration)) return ms;
  const message = `${shown(text)} is not ${describeDurationRange(someDuration)}`;
  problems.push({ source, path: "", message });
  return someDuration.leastMs;
}

/** What is wrong is added to the problems. */
export function readRunOptions(
  given: Readonly<Record<RunSettingName, Given>>,
  problems: ConfigProblem[],
): RunOptions {
  const on = (name: RunSettingName): boolean => readBoolean(given[name], problems);
  const text = (name: RunSettingName): string | undefined => given[name].text || undefined;
  const binary = text("binary");
  if (binary !== undefined && binary !== "legacy" && binary !== "nft")
    problems.push({
      source: given.binary.source,
      path: "",
      message: `${shown(binary)} is not legacy or nft`,
    });
  const networkNamespace = text("networkNamespace");
  if (on("cniMode") && networkNamespace === undefined)
    problems.push({ source: given.cniMode.source, path: "", message: "needs --network-namespace" });
  if (on("runValidation") && networkNamespace !== undefined)
    problems.push({
      source: given.runValidation.source,
      path: "",
      message: "works in the own network namespace only: not with --network-namespace",
    });
  on("reconcile");
  return {
    dryRun: on("dryRun"),
    dryRunFile: text("dryRunFile"),
    skipRuleApply: on("skipRuleApply"),
    runValidation: on("runValidation"),
    probePort: readNumber(given.probePort, ports, problems),
    probeTimeoutMs: readDurationMs(given.probeTimeout, problems),
    cleanupOnly: on("cleanupOnly"),
    forceApply: on("forceApply"),
    nativeNftables: on("nativeNftables"),
    binary: binary === "legacy" || binary === "nft" ? binary : undefined,
    networkNamespace,
  };
}
