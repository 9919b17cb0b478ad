/**
 * The bootstrap that would be written against the one that Envoy runs with, and everything else that would differ.
 */
import { statSync } from "node:fs";
import { envoyArguments } from "../envoy/generation/arguments.ts";
import { bootstrapFor, type PreparedLaunch } from "../envoy/generation/launch.ts";
import { generationPaths } from "../envoy/generation/layout.ts";
import { programAt } from "../envoy/inspect/program-identity.ts";
import type { RunningEnvoy } from "../envoy/inspect/running-envoy.ts";
import { redactText } from "../telemetry/redact.ts";
import { argumentChanges, binaryChange, type Change, decideChanges, fileChanges } from "./changes.ts";
import { unifiedDiff } from "./diff.ts";

/** Secrets are taken out before the comparison, so that none can show in it. All is new when no Envoy runs. */
export function bootstrapDiff(launch: PreparedLaunch, running: RunningEnvoy | undefined): readonly string[] {
  const after = (adminSocketPath: string): { readonly name: string; readonly text: string } => ({
    name: "planned",
    text: redactText(bootstrapFor(launch, adminSocketPath)),
  });
  if (running === undefined) {
    const { adminSocket } = generationPaths(launch.options.configPath, 1);
    return unifiedDiff({ name: "/dev/null", text: "" }, after(adminSocket));
  }
  const before = { name: `generation ${running.generation}`, text: redactText(running.bootstrap) };
  return unifiedDiff(before, after(running.adminSocketPath));
}

/** All differences; the agent swaps Envoy when there is one. */
export function changesOf(launch: PreparedLaunch, running: RunningEnvoy): readonly Change[] {
  return decideChanges({ running: running.fingerprint, wanted: launch.fingerprint }, [
    ...bootstrapChange(launch, running),
    ...argumentChanges(running.arguments, envoyArguments(launch.options, "", { kind: "alone" })),
    ...binaryChange(running.binary, programAt(launch.binary)),
    ...fileChanges(
      launch.files.map((path) => ({ path, writtenAt: statSync(path, { throwIfNoEntry: false })?.mtime })),
      running.startedAt,
    ),
  ]);
}

function bootstrapChange(launch: PreparedLaunch, running: RunningEnvoy): readonly Change[] {
  if (bootstrapFor(launch, running.adminSocketPath) === running.bootstrap) return [];
  const diff = bootstrapDiff(launch, running).slice(2);
  const count = (sign: string): number => diff.filter((line) => line.startsWith(sign)).length;
  const detail =
    diff.length === 0
      ? "secrets differ, which are not shown"
      : `${count("+")} lines are new, ${count("-")} are gone`;
  return [{ what: "bootstrap", detail }];
}
