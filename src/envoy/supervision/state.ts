/**
 * Where supervision stands, as one immutable value.
 *
 * An Envoy is a generation with what is known of it and the phase that it is in. At most one holds the place of the
 * one that serves; beside it there may be a newcomer, which a swap starts, and those that were replaced.
 */
import type { ExitDiagnosis, ExitRequest } from "../exits/exit-diagnosis.ts";
import type { Retirement } from "../drain/retire.ts";
import type { RefusedLaunch } from "../generation/refused-launch.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import type { ChildExit } from "../../process/child.ts";
import type { SupervisionPolicy } from "./policy.ts";
import type { Death } from "./restart-policy.ts";
import type { EnvoyState, SupervisionEnd } from "./shown.ts";
import type { SwapRequest, SwapStage } from "./swap-request.ts";

/** Ways to take over from an Envoy that serves on meanwhile. */
export type TakeOverMode = "overlap" | "hot";

/** What an Envoy does at the moment. */
export type Phase =
  /** It holds the place and is not proven yet. */
  | { readonly kind: "starting"; readonly waitingFor: string }
  /** It is to take over from the one that holds the place. By hot restart it has the listeners once it is LIVE. */
  | { readonly kind: "newcomer"; readonly mode: TakeOverMode; readonly isLive: boolean }
  /** It holds the place and is proven. */
  | { readonly kind: "serving" }
  /** It holds the place and its main thread does nothing: another one is being put there. */
  | { readonly kind: "hung" }
  /** It holds the place, for the last time: it is ended when it is drained. */
  | { readonly kind: "draining"; readonly before: "stop" | "cold-swap" }
  /** It has been told to exit, or is being killed. */
  | { readonly kind: "ending" }
  /** Another one holds its place: it serves the connections that it has. */
  | { readonly kind: "retiring"; readonly how: Retirement };

/** One generation under supervision. */
export interface Envoy {
  readonly number: number;
  readonly launch: PreparedLaunch;
  /** Undefined until its start is known to have succeeded. */
  readonly pid: number | undefined;
  /** Monotonic time of its start, in milliseconds. */
  readonly startedAt: number;
  /** Number of the generation with restart epoch 0 of its lineage; undefined where it can have no hot restart child. */
  readonly lineage: number | undefined;
  readonly phase: Phase;
  /** Monotonic time of the proof that it serves, in milliseconds; undefined until then. */
  readonly provenAt: number | undefined;
  /** Whom it serves: nobody before it is LIVE, and everybody once it was ready or took over from another. */
  readonly serves: "nobody" | "whoever-connects" | "everybody";
  /** What the agent has asked of it, for the explanation of its end. */
  readonly asked: ExitRequest | undefined;
  /** The request that a cold swap started it for, until it is proven. */
  readonly trial: SwapRequest | undefined;
  /** A hot restart child has taken its admin interface and failed. */
  readonly isBlind: boolean;
  /** The hot restart parent that it took over from has died, which will make it abort. */
  readonly isOrphaned: boolean;
  /** Somebody has its listeners drained; `whole` when nothing is left to do for a stop. */
  readonly drained: "no" | "listeners" | "whole";
}

/** Who is to serve. */
export type Place =
  /** Nobody yet, or nobody any more. */
  | { readonly kind: "empty" }
  | { readonly kind: "taken"; readonly by: number }
  /** It is dead, and why is being found out. */
  | { readonly kind: "unexplained"; readonly dead: number }
  /** It is dead; a swap that is under way comes to its end before anything is started. */
  | { readonly kind: "lost"; readonly loss: Loss }
  /** The next one is started when its time has come. */
  | {
      readonly kind: "waiting";
      readonly number: number;
      readonly launch: PreparedLaunch;
      readonly trial: SwapRequest | undefined;
    };

/** The death of the Envoy that held the place. */
export interface Loss {
  readonly envoy: Envoy;
  readonly exit: ChildExit | undefined;
  readonly diagnosis: ExitDiagnosis;
  /** The last good launch that an earlier agent has left, where it may help. */
  readonly kept: PreparedLaunch | undefined;
}

/** What is left to do once a newcomer that is being killed is gone. */
export type AfterKill =
  | { readonly kind: "refuse"; readonly stage: SwapStage; readonly reason: string }
  | { readonly kind: "put-back" };

/** The swap that is under way; at most one is. */
export type Swap =
  /** The bootstrap, the ports and the ways to take over are being looked at. */
  | { readonly kind: "checking"; readonly request: SwapRequest }
  /** A newcomer is being proven; `isCancelled` once that has been told to end. */
  | {
      readonly kind: "proving";
      readonly request: SwapRequest;
      readonly newcomer: number;
      readonly isCancelled: boolean;
    }
  /** The newcomer has died by itself, and why is being found out. */
  | { readonly kind: "died"; readonly request: SwapRequest; readonly newcomer: Envoy }
  /** The newcomer is being killed. */
  | {
      readonly kind: "abandoning";
      readonly request: SwapRequest;
      readonly newcomer: number;
      readonly afterKill: AfterKill;
    }
  /** There is no way but to end the old one first: it is being drained, and then ended. */
  | { readonly kind: "clearing"; readonly request: SwapRequest; readonly old: number };

/** What supervision is about. */
export type Course =
  | { readonly kind: "serve" }
  | {
      readonly kind: "stop";
      readonly reason: unknown;
      readonly at: number;
      /** The generation that the stop has ended. */
      readonly ended: number | undefined;
    }
  | { readonly kind: "give-up"; readonly end: SupervisionEnd }
  | { readonly kind: "over" };

/** Everything. */
export interface SupervisionState {
  readonly policy: SupervisionPolicy;
  readonly course: Course;
  /** Number of the newest generation. */
  readonly newest: number;
  /** Those that live. */
  readonly envoys: readonly Envoy[];
  /** Those that are dead and whose end is being explained. */
  readonly dead: readonly Envoy[];
  readonly place: Place;
  readonly swap: Swap | undefined;
  /** What waits to be begun: a repair of the agent's own goes before a change of configuration. */
  readonly requests: { readonly repair: SwapRequest | undefined; readonly change: SwapRequest | undefined };
  /** Why a request waits; undefined when none does. */
  readonly waitingFor: string | undefined;
  readonly isRecheckSet: boolean;
  /** Newcomers can be served. */
  readonly hasServices: boolean;
  /** Attempts to give a cut-off Envoy a successor since the last swap. */
  readonly failedRepairs: number;
  /** The launch of the last Envoy that served for long enough. */
  readonly lastGood: PreparedLaunch | undefined;
  /** The newest launch that failed, while no other has been accepted since. */
  readonly refused: RefusedLaunch | undefined;
  /** Deaths that count. */
  readonly deaths: readonly Death[];
  readonly deathsSinceProof: number;
  /** Starts in a row that failed for reasons that are not Envoy's. */
  readonly startsInVain: number;
  readonly wasEverReady: boolean;
  readonly isHurried: boolean;
  readonly hasApplicationEnded: boolean;
  readonly counts: SupervisionCounts;
  readonly shown: EnvoyState;
}

/** What is counted for good. */
export interface SupervisionCounts {
  /** Times that Envoy was started again after it died. */
  readonly restarts: number;
  /** Times that Envoy could not be started because of the agent's surroundings. */
  readonly failedStarts: number;
  /** Times that Envoy was found hung. */
  readonly hangs: number;
}

/** Before anything has been started. */
export function initialState(policy: SupervisionPolicy): SupervisionState {
  return {
    policy,
    course: { kind: "serve" },
    newest: 0,
    envoys: [],
    dead: [],
    place: { kind: "empty" },
    swap: undefined,
    requests: { repair: undefined, change: undefined },
    waitingFor: undefined,
    isRecheckSet: false,
    hasServices: false,
    failedRepairs: 0,
    lastGood: undefined,
    refused: undefined,
    deaths: [],
    deathsSinceProof: 0,
    startsInVain: 0,
    wasEverReady: false,
    isHurried: false,
    hasApplicationEnded: false,
    counts: { restarts: 0, failedStarts: 0, hangs: 0 },
    shown: { kind: "starting", generation: 1, pid: undefined },
  };
}

/** The Envoy that serves or is to serve; undefined while there is none. */
export function activeOf({ place, envoys }: SupervisionState): Envoy | undefined {
  return place.kind === "taken" ? envoys.find(({ number }) => number === place.by) : undefined;
}

/** It has connections to lose: it was proven, or has taken the listeners over and is not proven yet. */
export function servesEverybody(envoy: Envoy | undefined): envoy is Envoy {
  return envoy?.serves === "everybody";
}

/** The Envoy that has the admin interface of the one that serves, or takes over from it by hot restart. */
export function adminHolderOf(state: SupervisionState): Envoy | undefined {
  return hotChildOf(state) ?? activeOf(state);
}

/** The hot restart child that is being proven: its parent has no admin interface any more. */
export function hotChildOf({ envoys, swap }: SupervisionState): Envoy | undefined {
  // One that has just died leaves its parent as blind as before, until that is known.
  const candidates = swap?.kind === "died" ? [...envoys, swap.newcomer] : envoys;
  return candidates.find(({ phase }) => phase.kind === "newcomer" && phase.mode === "hot");
}
