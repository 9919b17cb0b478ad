/**
 * The command line that the wanted Envoy would be started with.
 */
import type { AgentConfig } from "../config/agent-config.ts";
import { envoyArguments, type RestartRole } from "../envoy/generation/arguments.ts";
import type { PreparedLaunch } from "../envoy/generation/launch.ts";
import { type GenerationPaths, generationPaths } from "../envoy/generation/layout.ts";
import { hotRestartObstacle } from "../envoy/generation/lineage.ts";
import type { RunningEnvoy } from "../envoy/inspect/running-envoy.ts";
import type { PlannedAction } from "./decide.ts";

/** What Envoy would be started with; what it was started with, when it stays. */
export function argumentsFor(
  config: AgentConfig,
  launch: PreparedLaunch,
  running: RunningEnvoy | undefined,
  action: PlannedAction,
): readonly string[] {
  if (action.kind === "none" && running !== undefined) return running.arguments;
  const paths = generationPaths(launch.options.configPath, (running?.newest ?? 0) + 1);
  return envoyArguments(launch.options, paths.bootstrap, roleOf(config, running, action, paths));
}

function roleOf(
  config: AgentConfig,
  running: RunningEnvoy | undefined,
  action: PlannedAction,
  paths: GenerationPaths,
): RestartRole {
  if (action.kind === "swap" && action.mode === "hot" && running?.baseId !== undefined) {
    return { kind: "successor", baseId: running.baseId, epoch: (running.info?.restartEpoch ?? 0) + 1 };
  }
  const { swapMode } = config.supervision;
  const mayHandOver = swapMode === "hot" || swapMode === "auto";
  if (!mayHandOver || hotRestartObstacle() !== undefined) return { kind: "alone" };
  return { kind: "first", baseIdPath: paths.baseId };
}
