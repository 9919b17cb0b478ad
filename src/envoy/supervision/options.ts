/** What the supervisor runs, how it decides, and whom it tells. */
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import type { ChildExit } from "../../process/child.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { ExitDiagnosis, ExitRequest } from "../exits/exit-diagnosis.ts";
import type { Generation } from "../generation/generation.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import type { MemoryRoom } from "../inspect/headroom.ts";
import type { KnownPort } from "../inspect/ports.ts";
import type { NewcomerServices } from "../swap/newcomer-services.ts";
import type { SupervisionPolicy } from "./policy.ts";
import type { EndedSwap } from "./swap-request.ts";

/** Gets to see every generation, such as the flight recorder. None of its methods may throw or take long. */
export interface GenerationObserver {
  started(generation: Generation): void;
  /** It serves: the moment for a picture of its state. */
  proven(generation: Generation): void;
  /** It is about to be drained, or was found hung. */
  ending(generation: Generation, occasion: "drain" | "hang"): void;
  ended(generation: Generation, diagnosis: ExitDiagnosis, lines: readonly string[]): void;
}

/** Everything that the supervisor needs. */
export interface SupervisorOptions {
  readonly launch: PreparedLaunch;
  readonly supervision: SupervisionPolicy;
  /** Pids whose ports are no obstacle: the agent's own. */
  readonly ownPids: readonly number[];
  /** Ports that must belong to nobody else. */
  readonly knownPorts: readonly KnownPort[];
  /** What serves an Envoy that takes over; undefined until it listens, and swaps wait for it. */
  readonly newcomers: ReadonlyWatch<NewcomerServices | undefined>;
  /** How often a child of this process has ended, was stopped or goes on. */
  readonly childChanges: ReadonlyWatch<number>;
  readonly log: Logger;
  /** Gets each line of Envoy's own log. */
  readonly onLogLine: (line: string) => void;
  readonly observer: GenerationObserver;
  /** Told of every swap that has come to its end. May neither throw nor take long. */
  readonly onSwapEnd?: (swap: EndedSwap) => void;
  /** Why a generation ended. */
  readonly explain: (
    generation: Generation,
    exit: ChildExit,
    facts: { readonly asked: ExitRequest | undefined; readonly wasLive: boolean },
  ) => ExitDiagnosis;
  /** Memory of an Envoy and room for another one; undefined when it is not known. */
  readonly memory: (envoyPid: number) => MemoryRoom | undefined;
}
