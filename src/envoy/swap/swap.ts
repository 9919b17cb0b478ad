/**
 * One swap: a newcomer is checked, started, proven and then takes over, or nothing changes.
 *
 * What becomes of the old Envoy afterwards is the supervisor's affair.
 */
import type { ChildExit } from "../../process/child.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { probeTls } from "../../net/tls-probe.ts";
import type { Logger } from "../../telemetry/log.ts";
import { bringUp, type BringUpResult } from "./bring-up.ts";
import type { Descent, Generation } from "../generation/generation.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import { NewcomerWatch, type SwapInterrupts } from "./interrupted.ts";
import type { ListenerHold, NewcomerServices } from "./newcomer-services.ts";
import {
  askRunning,
  decideTakeOver,
  type Incumbent,
  type PreflightDependencies,
  type RunningFacts,
  whosePorts,
  whyInvalid,
} from "./preflight.ts";
import { findRefusedListeners, findTlsFaults, findUnreadyParts } from "./proof.ts";
import { envoyReadiness, readinessStats } from "../readiness.ts";
import type { SwapLimits } from "../supervision-options.ts";
import type { SwapMode, SwapModeRequest } from "./swap-mode.ts";

/** Where a newcomer failed. */
export type SwapStage = "validate" | "ports" | "mode" | "start" | "live" | "proof";

/** How a swap ended. */
export type SwapOutcome =
  /** The newcomer serves; the old Envoy is to be retired. */
  | {
      readonly kind: "promoted";
      readonly mode: "overlap" | "hot";
      readonly newcomer: Generation;
      readonly isProven: boolean;
    }
  /** Everything is checked and there is no way but to stop the old Envoy first. */
  | { readonly kind: "cold" }
  /** The old Envoy serves as before; `isBlind` when its admin interface is gone. */
  | { readonly kind: "failed"; readonly stage: SwapStage; readonly reason: string; readonly isBlind: boolean }
  /** The newcomer took the listeners over and died: nobody accepts connections. */
  | { readonly kind: "lost"; readonly reason: string }
  /** The newcomer serves and took the listeners over, but lacks something. */
  | { readonly kind: "faulty"; readonly newcomer: Generation; readonly reason: string }
  | { readonly kind: "cancelled"; readonly isBlind: boolean };

/** What a swap works with. */
export interface SwapDependencies extends PreflightDependencies {
  readonly log: Logger;
  readonly limits: SwapLimits;
  readonly services: NewcomerServices;
  /** Start the newcomer; from now on it may own the admin interface. */
  readonly start: (launch: PreparedLaunch, descent: Descent, mode: "overlap" | "hot") => Generation;
  /** How a newcomer that can found a lineage is started. */
  readonly founder: () => Descent;
  /** Why the newcomer ended by itself, in words. */
  readonly describeEnd: (exit: ChildExit) => Promise<string>;
  /** The newcomer is about to be ended by the agent. */
  readonly asked: () => void;
}

/** What can be checked of a launch while no Envoy serves: there is nothing to take over from. */
export async function inspect(
  launch: PreparedLaunch,
  deps: SwapDependencies,
  cancel: AbortSignal,
): Promise<SwapOutcome> {
  const invalid = await whyInvalid(launch, cancel);
  if (cancel.aborted) return { kind: "cancelled", isBlind: false };
  const problem = invalid ?? whosePorts(launch, undefined, deps);
  if (problem === undefined) return { kind: "cold" };
  return {
    kind: "failed",
    stage: invalid === undefined ? "ports" : "validate",
    reason: problem,
    isBlind: false,
  };
}

/** Take over from `incumbent`. Interrupts are heeded at once until a newcomer runs, and then as `nextNewcomerStep` says. */
export async function swap(
  incumbent: Incumbent,
  launch: PreparedLaunch,
  requested: SwapModeRequest,
  deps: SwapDependencies,
  interrupts: SwapInterrupts,
): Promise<SwapOutcome> {
  const cancel = AbortSignal.any([interrupts.stop, interrupts.cut]);
  const failed = (stage: SwapStage, reason: string): SwapOutcome => ({
    kind: "failed",
    stage,
    reason,
    isBlind: false,
  });
  const invalid = await whyInvalid(launch, cancel);
  if (cancel.aborted) return { kind: "cancelled", isBlind: false };
  if (invalid !== undefined) return failed("validate", invalid);

  const active = incumbent.generation;
  const running = await askRunning(incumbent);
  const clash = whosePorts(launch, running.listeners, deps);
  if (clash !== undefined) return failed("ports", clash);

  const decision = await decideTakeOver(active, launch, requested, running.listeners, deps, cancel);
  if (cancel.aborted) return { kind: "cancelled", isBlind: false };
  if (decision.kind === "impossible") return failed("mode", decision.why);
  deps.log.info("swapping Envoy", { mode: decision.mode, why: decision.why, from: active.number });
  if (decision.mode === "cold") return { kind: "cold" };
  return takeOver(active, launch, decision.mode, running, deps, interrupts);
}

async function takeOver(
  active: Generation,
  launch: PreparedLaunch,
  mode: "overlap" | "hot",
  running: RunningFacts,
  deps: SwapDependencies,
  interrupts: SwapInterrupts,
): Promise<SwapOutcome> {
  using hold = deps.services.holdListeners();
  let newcomer: Generation;
  try {
    newcomer = deps.start(launch, descentFor(active, mode, deps), mode);
  } catch (error) {
    return { kind: "failed", stage: "start", reason: errorMessage(error), isBlind: false };
  }
  using watch = new NewcomerWatch(mode, interrupts, active.exited);
  const result = await bringUp(
    newcomer,
    {
      onClusters: () => {
        hold.release();
      },
      onWaiting: (reason) => {
        deps.log.debug("newcomer is not proven yet", { generation: newcomer.number, reason });
      },
      prove: async () => {
        watch.live();
        return watch.over.aborted ? [] : prove(newcomer, running, deps.services, hold);
      },
      liveWithinMs: deps.limits.liveWithinMs,
      provenWithinMs: deps.limits.provenWithinMs,
    },
    watch.over,
  );
  return conclude(newcomer, mode, result, deps);
}

async function conclude(
  newcomer: Generation,
  mode: "overlap" | "hot",
  result: BringUpResult,
  deps: SwapDependencies,
): Promise<SwapOutcome> {
  const isHot = mode === "hot";
  switch (result.kind) {
    case "proven":
      return { kind: "promoted", mode, newcomer, isProven: true };
    case "died": {
      const reason = await deps.describeEnd(result.exit);
      if (isHot && result.wasLive) return { kind: "lost", reason: `the newcomer has ended: ${reason}` };
      if (isHot) newcomer.lineage?.heal();
      const stage = result.wasLive ? "proof" : "live";
      return { kind: "failed", stage, reason: `the newcomer has ended: ${reason}`, isBlind: isHot };
    }
    case "faulty":
      if (isHot) return { kind: "faulty", newcomer, reason: result.reason };
      await abandon(newcomer, isHot, deps);
      return { kind: "failed", stage: "proof", reason: result.reason, isBlind: false };
    case "never-live":
      await abandon(newcomer, isHot, deps);
      return { kind: "failed", stage: "live", reason: result.reason, isBlind: isHot };
    case "cancelled":
      // A newcomer that has taken the listeners over is the one that serves.
      if (isHot && (result.wasLive || (await isLive(newcomer)))) {
        return { kind: "promoted", mode, newcomer, isProven: false };
      }
      await abandon(newcomer, isHot, deps);
      return { kind: "cancelled", isBlind: isHot };
  }
}

/** SIGKILL only: any other end of a newcomer would end the Envoy that it was to take over from as well. */
async function abandon(newcomer: Generation, isHot: boolean, deps: SwapDependencies): Promise<void> {
  deps.asked();
  newcomer.kill();
  await newcomer.exited;
  if (isHot) newcomer.lineage?.heal();
}

async function isLive(newcomer: Generation): Promise<boolean> {
  try {
    return envoyReadiness(await newcomer.admin.stats(readinessStats), newcomer.launch.awaits).ready;
  } catch {
    return false;
  }
}

function descentFor(active: Generation, mode: SwapMode, deps: SwapDependencies): Descent {
  if (mode !== "hot") return deps.founder();
  const { lineage } = active;
  const role = lineage?.successor();
  if (lineage === undefined || role === undefined) throw new Error(lineage?.obstacle ?? "no hot restart");
  return { kind: "successor", lineage, role };
}

async function prove(
  newcomer: Generation,
  running: RunningFacts,
  services: NewcomerServices,
  hold: ListenerHold,
): Promise<readonly string[]> {
  const { admin, pid } = newcomer;
  if (pid === undefined) return ["the newcomer has no process"];
  const lacks = hold.lacks();
  if (lacks.length > 0) return lacks;
  const [refused, unready] = await Promise.all([
    findRefusedListeners(admin, running.listeners),
    findUnreadyParts(admin),
  ]);
  const faults = [...refused, ...unready.filter((fault) => !running.faults.includes(fault))];
  if (faults.length > 0) return faults;
  return findTlsFaults({ admin, pid, identity: services.identity(), probe: probeTls });
}
