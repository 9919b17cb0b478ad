/**
 * How the wanted Envoy would take over, by the agent's own decision, and its command line.
 */
import { join } from "node:path";
import type { AgentConfig } from "../config/agent-config.ts";
import { runEnvoy } from "../doctor/envoy-run.ts";
import { envoyArguments, type RestartRole } from "../envoy/generation/arguments.ts";
import { CgroupMemory } from "../envoy/exits/cgroup-memory.ts";
import type { PreparedLaunch } from "../envoy/generation/launch.ts";
import { hotRestartObstacle } from "../envoy/generation/lineage.ts";
import { decideSwapMode, type SwapConditions, type SwapDecision } from "../envoy/swap/swap-mode.ts";
import { residentBytes } from "../process/memory.ts";
import { migratesConnections } from "../net/migrate-connections.ts";
import { identityOf } from "./bootstrap-diff.ts";
import { binaryChange } from "./changes.ts";
import { type PlannedAction, whyNotHot } from "./decide.ts";
import type { RunningEnvoy } from "./running-envoy.ts";

/** From what can be seen of the running Envoy from outside its agent. */
export async function howToSwap(
  config: AgentConfig,
  launch: PreparedLaunch,
  running: RunningEnvoy,
  signal: AbortSignal,
): Promise<SwapDecision> {
  if (running.state !== undefined && running.state !== "live") {
    return { kind: "mode", mode: "cold", why: `the running Envoy does not serve: it is ${running.state}` };
  }
  const isSameBinary = binaryChange(running.binary, identityOf(launch.binary)).length === 0;
  const answer = isSameBinary ? undefined : await runEnvoy(launch.binary, ["--hot-restart-version"], signal);
  return decideSwapMode({
    requested: config.supervision.swapMode,
    listeners: running.listeners,
    hotObstacle: whyNotHot({
      machineObstacle: hotRestartObstacle(),
      runningArguments: running.arguments,
      wantedArguments: envoyArguments(launch.options, "", { kind: "alone" }),
      isSameBinary,
      versions: { running: running.info?.hotRestartVersion, wanted: answer?.output.at(-1) },
    }),
    migratesConnections: migratesConnections(),
    memory: memoryFor(running.pid),
  });
}

function memoryFor(envoyPid: number): SwapConditions["memory"] {
  const envoyBytes = residentBytes(envoyPid);
  const { headroomBytes } = CgroupMemory.find().figures();
  if (envoyBytes === undefined || headroomBytes === undefined) return undefined;
  // This process is gone by then.
  return { envoyBytes, freeBytes: headroomBytes + process.memoryUsage.rss() };
}

/** What Envoy would be started with; what it was started with, when it stays. */
export function argumentsFor(
  config: AgentConfig,
  launch: PreparedLaunch,
  running: RunningEnvoy | undefined,
  action: PlannedAction,
): readonly string[] {
  if (action.kind === "none" && running !== undefined) return running.arguments;
  const folder = join(launch.options.configPath, "generations", String((running?.newest ?? 0) + 1));
  const role = roleOf(config, running, action, folder);
  return envoyArguments(launch.options, join(folder, "envoy.json"), role);
}

function roleOf(
  config: AgentConfig,
  running: RunningEnvoy | undefined,
  action: PlannedAction,
  folder: string,
): RestartRole {
  if (action.kind === "swap" && action.mode === "hot" && running?.baseId !== undefined) {
    return { kind: "successor", baseId: running.baseId, epoch: (running.info?.restartEpoch ?? 0) + 1 };
  }
  const { swapMode } = config.supervision;
  const mayHandOver = swapMode === "hot" || swapMode === "auto";
  if (!mayHandOver || hotRestartObstacle() !== undefined) return { kind: "alone" };
  return { kind: "first", baseIdPath: join(folder, "base-id") };
}
