/** What supervision has done, as data. */
import type { ExitDiagnosis, ExitRequest } from "../exits/exit-diagnosis.ts";
import type { Retirement } from "../drain/retire.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import type { ChildExit } from "../../process/child.ts";
import type { LogFields } from "../../telemetry/log.ts";
import type { SupervisionTimer } from "./event.ts";
import type { SwapLimits } from "./policy.ts";
import type { SupervisionEnd } from "./shown.ts";
import type { TakeOverMode } from "./state.ts";
import type { EndedSwap, SwapReport, SwapRequest } from "./swap-request.ts";

/** How a generation that is started stands to others. */
export type Descent =
  /** It takes over from nobody. */
  | { readonly kind: "first" }
  /** It takes over from `from`. */
  | { readonly kind: "newcomer"; readonly mode: TakeOverMode; readonly from: number };

/** One thing to do. Each comment says what event follows. */
export type Effect =
  /** Start an Envoy: `started` or `not-started`, at once; later `exited`. */
  | {
      readonly kind: "start";
      readonly number: number;
      readonly launch: PreparedLaunch;
      readonly descent: Descent;
    }
  /** Follow an Envoy until it is proven, within `limits` where there are any: `waits-for`, `live` and `proof`. */
  | { readonly kind: "prove"; readonly number: number; readonly limits: SwapLimits | undefined }
  /** End that: `proof`. */
  | { readonly kind: "cancel-proof"; readonly number: number }
  /** Look whether and how the launch can take over from `from`, or be started where nobody serves: `checked`. */
  | {
      readonly kind: "check";
      readonly request: SwapRequest;
      readonly from: number | undefined;
      /** It is not worth asking. */
      readonly isSilent: boolean;
    }
  /** End that: no event. */
  | { readonly kind: "cancel-check" }
  /** SIGKILL: `exited`. */
  | { readonly kind: "kill"; readonly number: number }
  /** SIGTERM, and SIGKILL where that takes too long: `exited`. */
  | { readonly kind: "terminate"; readonly number: number }
  /** Drain it: `drained`. */
  | {
      readonly kind: "drain";
      readonly number: number;
      readonly before: "stop" | "cold-swap";
      /** False for one that was merely LIVE: whoever is connected is all that it has to serve. */
      readonly wasReady: boolean;
    }
  /** End that: no event. */
  | { readonly kind: "cancel-drain"; readonly number: number }
  /** Bring one that was replaced to its end: `exited`. */
  | {
      readonly kind: "retire";
      readonly number: number;
      readonly how: Retirement;
      readonly successor: number | undefined;
    }
  /** Find out why it ended: `explained`. */
  | {
      readonly kind: "explain";
      readonly number: number;
      readonly exit: ChildExit;
      readonly asked: ExitRequest | undefined;
      readonly wasLive: boolean;
      /** Look for the last good launch of an earlier agent where Envoy has refused this one. */
      readonly wantsKept: boolean;
    }
  /** Show its bootstrap as the active one. */
  | { readonly kind: "show-bootstrap"; readonly number: number }
  /** Remember its listeners, for the time when it cannot be asked any more. */
  | { readonly kind: "learn-listeners"; readonly number: number }
  /** Its restart epoch is the one that the next hot restart child follows. */
  | { readonly kind: "advance-epoch"; readonly number: number }
  /** Take away the mark that a hot restart child leaves that dies before it serves (envoyproxy/envoy#33446). */
  | { readonly kind: "heal-lineage"; readonly number: number }
  /** Nobody can take over from this one by hot restart any more. */
  | { readonly kind: "close-lineage"; readonly number: number; readonly reason: string }
  /** Keep a launch that has proved good for the next agent. */
  | { readonly kind: "keep-launch"; readonly launch: PreparedLaunch }
  /** Tell those who asked for a swap what has become of it. */
  | { readonly kind: "answer"; readonly askers: readonly number[]; readonly report: SwapReport }
  /** `timer` after `ms` milliseconds; one of each kind and number. */
  | { readonly kind: "set-timer"; readonly timer: SupervisionTimer; readonly ms: number }
  /** Tell the observer. */
  | { readonly kind: "observe"; readonly number: number; readonly occasion: "proven" | "drain" | "hang" }
  | { readonly kind: "count-exit"; readonly number: number; readonly diagnosis: ExitDiagnosis }
  | ({ readonly kind: "count-swap" } & EndedSwap)
  | {
      readonly kind: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly fields: LogFields;
    }
  /** It is over, and every Envoy is gone. */
  | { readonly kind: "end"; readonly end: SupervisionEnd }
  /** The first Envoy cannot be started: the agent fails. */
  | { readonly kind: "fail"; readonly reason: string };
