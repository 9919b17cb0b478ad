/**
 * The look before a swap: whether a launch can be started at all, and how it can take over from the Envoy that runs.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import type { NewcomerServices } from "./newcomer-services.ts";
import {
  askRunning,
  decideTakeOver,
  type Incumbent,
  type PreflightDependencies,
  type RunningFacts,
  whosePorts,
  whyInvalid,
} from "./preflight.ts";
import type { SwapMode, SwapModeRequest } from "./swap-mode.ts";

/** Where the look found something. */
type CheckStage = "validate" | "ports" | "mode" | "start";

/** What it has come to. */
export type LaunchCheck =
  /** A newcomer could not be served now. */
  | { readonly kind: "wait"; readonly reason: string }
  | { readonly kind: "refuse"; readonly stage: CheckStage; readonly reason: string }
  | {
      readonly kind: "go";
      readonly mode: SwapMode;
      /** What the newcomer is compared with. */
      readonly running: RunningFacts;
    };

/** What it works with. */
export interface CheckDependencies extends PreflightDependencies {
  readonly log: Logger;
  readonly services: NewcomerServices | undefined;
}

/** Nothing is known where nobody runs. */
const nobody: RunningFacts = { listeners: undefined, faults: [] };

/**
 * Look. Never rejects.
 *
 * @param incumbent the Envoy that serves; undefined while none does, so that there is nothing to take over from
 * @param cancel the answer is not wanted any more
 */
export async function checkLaunch(
  launch: PreparedLaunch,
  requested: SwapModeRequest,
  incumbent: Incumbent | undefined,
  deps: CheckDependencies,
  cancel: AbortSignal,
): Promise<LaunchCheck> {
  try {
    const reason = incumbent === undefined ? undefined : deps.services?.obstacle(launch);
    if (reason !== undefined) return { kind: "wait", reason };
    return await check(launch, requested, incumbent, deps, cancel);
  } catch (error) {
    return { kind: "refuse", stage: "start", reason: errorMessage(error) };
  }
}

async function check(
  launch: PreparedLaunch,
  requested: SwapModeRequest,
  incumbent: Incumbent | undefined,
  deps: CheckDependencies,
  cancel: AbortSignal,
): Promise<LaunchCheck> {
  const invalid = await whyInvalid(launch, cancel);
  if (invalid !== undefined) return { kind: "refuse", stage: "validate", reason: invalid };
  const running = incumbent === undefined ? nobody : await askRunning(incumbent);
  const clash = whosePorts(launch, running.listeners, deps);
  if (clash !== undefined) return { kind: "refuse", stage: "ports", reason: clash };
  if (incumbent === undefined) return { kind: "go", mode: "cold", running };
  const { generation } = incumbent;
  const decision = await decideTakeOver(generation, launch, requested, running.listeners, deps, cancel);
  if (decision.kind === "impossible") return { kind: "refuse", stage: "mode", reason: decision.why };
  const { mode, why } = decision;
  if (!cancel.aborted) deps.log.info("swapping Envoy", { mode, why, from: generation.number });
  return { kind: "go", mode, running };
}
