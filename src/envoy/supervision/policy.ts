/**
 * Limits of supervision, all of them flags of `proxy`.
 */
import type { HangPolicy } from "./watchdog.ts";
import type { RestartPolicy } from "./restart-policy.ts";
import type { SwapModeRequest } from "../inspect/swap-mode.ts";

/** How Envoy is swapped, restarted and watched. */
export interface SupervisionPolicy {
  readonly swapMode: SwapModeRequest;
  readonly swap: SwapLimits;
  readonly restart: RestartPolicy;
  readonly hang: HangPolicy;
}

/** Deadlines of a newcomer. */
export interface SwapLimits {
  /** From its start to LIVE, in milliseconds. */
  readonly liveWithinMs: number;
  /** From LIVE to proof, in milliseconds. */
  readonly provenWithinMs: number;
  /** How long it must serve before its bootstrap counts as good, in milliseconds. */
  readonly probationMs: number;
}
