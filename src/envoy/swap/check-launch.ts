/**
 * The look before a swap: whether a launch can be started at all, and how it can take over from the Envoy that runs.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import type { MemoryRoom } from "../inspect/headroom.ts";
import { inspect } from "../inspect/inspect.ts";
import type { Refusal } from "../inspect/inspection.ts";
import type { KnownPort } from "../inspect/ports.ts";
import type { SwapMode, SwapModeRequest } from "../inspect/swap-mode.ts";
import { noYardstick, OwnIncumbent, type OwnIncumbentOptions, type Yardstick } from "./incumbent.ts";
import type { NewcomerServices } from "./newcomer-services.ts";
import { validate } from "./validate.ts";

/** What it has come to. */
export type LaunchCheck =
  /** A newcomer could not be served now. */
  | { readonly kind: "wait"; readonly reason: string }
  | { readonly kind: "refuse"; readonly stage: Refusal["stage"] | "start"; readonly reason: string }
  | { readonly kind: "go"; readonly mode: SwapMode; readonly yardstick: Yardstick };

/** What it works with. */
export interface CheckDependencies {
  /** Pids of this agent and its Envoys: their ports are no obstacle. */
  readonly ownPids: () => readonly number[];
  /** Ports that must belong to nobody else, beside those of the bootstrap's listeners. */
  readonly knownPorts: readonly KnownPort[];
  /** Memory of the running Envoy and room for another. */
  readonly memory: (envoyPid: number) => MemoryRoom | undefined;
  readonly log: Logger;
  readonly services: NewcomerServices | undefined;
}

/**
 * Look. Never rejects.
 *
 * @param active the Envoy that serves; undefined while none does, so that there is nothing to take over from
 * @param cancel the answer is not wanted any more
 */
export async function checkLaunch(
  launch: PreparedLaunch,
  requested: SwapModeRequest,
  active: Omit<OwnIncumbentOptions, "memory"> | undefined,
  deps: CheckDependencies,
  cancel: AbortSignal,
): Promise<LaunchCheck> {
  try {
    const reason = active === undefined ? undefined : deps.services?.obstacle(launch);
    if (reason !== undefined) return { kind: "wait", reason };
    return await check(launch, requested, active, deps, cancel);
  } catch (error) {
    return { kind: "refuse", stage: "start", reason: errorMessage(error) };
  }
}

async function check(
  launch: PreparedLaunch,
  requested: SwapModeRequest,
  active: Omit<OwnIncumbentOptions, "memory"> | undefined,
  { ownPids, knownPorts, memory, log }: CheckDependencies,
  cancel: AbortSignal,
): Promise<LaunchCheck> {
  const incumbent = active === undefined ? undefined : new OwnIncumbent({ ...active, memory });
  const friends = (): { own: readonly number[]; strays: readonly number[] } => ({
    own: ownPids(),
    strays: [],
  });
  const { refusals, swap } = await inspect(
    { launch, requested, validate, incumbent, knownPorts, friends, wantsAll: false },
    cancel,
  );
  const [refusal] = refusals;
  if (refusal !== undefined) return { kind: "refuse", ...refusal };
  if (swap.kind === "impossible") return { kind: "refuse", stage: "mode", reason: swap.why };
  const { mode, why } = swap;
  if (active !== undefined && !cancel.aborted)
    log.info("swapping Envoy", { mode, why, from: active.generation.number });
  return { kind: "go", mode, yardstick: incumbent?.yardstick ?? noYardstick };
}
