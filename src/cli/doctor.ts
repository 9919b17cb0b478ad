/**
 * `outrider doctor`: what could keep a sidecar from starting, swapping Envoy or staying alive here.
 */
import { unusableCode } from "../command/exit-codes.ts";
import { readSystemVariables } from "../schema/system-variables.ts";
import type { Finding } from "../doctor/finding.ts";
import type { Command } from "../command/command.ts";
import { nameFlag } from "./agent-flags.ts";
import { findingLines } from "./findings.ts";
import { proxyCommand } from "./proxy.ts";
import { version } from "../command/version.ts";

/** Exit codes for scripts. */
const exitCodes = { well: 0, failures: 1, configurationUnusable: unusableCode } as const;

/** Takes what `proxy` takes, so that it examines what `proxy` would run with. */
export const doctorCommand: Command = {
  name: "doctor",
  usage: "[type]",
  wordValues: { type: ["sidecar", "router"] },
  describe: "Check what could keep the sidecar from starting, swapping Envoy or staying alive here.",
  allowUnknown: true,
  summary: "What is wrong here, and what to do about it",
  exitCodes: [
    { code: 0, meaning: "all is well, or warnings only" },
    { code: 1, meaning: "something failed" },
    { code: 64, meaning: "the configuration cannot be used" },
  ],
  flags: {
    ...proxyCommand.flags,
    ...nameFlag,
    json: { type: "boolean", default: false, describe: "Print the findings as JSON." },
  },
  async run(args, given) {
    const { examineAgent } = await import("./examine.ts");
    const started = performance.now();
    const examined = await examineAgent(args, given);
    if (examined === undefined) return exitCodes.configurationUnusable;
    const { findings, isConfigurationUsable, context } = examined;
    const tookMs = Math.round(performance.now() - started);
    if (args.boolean("json")) context.print(toJson(findings, tookMs));
    else {
      const colour = context.terminal !== undefined && readSystemVariables(context.env).NO_COLOR === "";
      for (const line of findingLines(findings, { columns: context.terminal?.columns(), colour, tookMs })) {
        context.print(line);
      }
    }
    if (!isConfigurationUsable) return exitCodes.configurationUnusable;
    return findings.some(({ verdict }) => verdict === "failure") ? exitCodes.failures : exitCodes.well;
  },
};

/** Fields are only ever added. */
function toJson(findings: readonly Finding[], tookMs: number): string {
  const count = (verdict: Finding["verdict"]): number =>
    findings.filter((finding) => finding.verdict === verdict).length;
  const summary = { ok: count("ok"), warning: count("warning"), failure: count("failure") };
  return JSON.stringify({ version: 1, outrider: version, tookMs, summary, findings }, undefined, 2);
}
