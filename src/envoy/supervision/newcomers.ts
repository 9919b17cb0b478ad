/**
 * What the agent does for a newcomer beside its process: it is looked at, held back until it may listen, and proven.
 */
import type { Generation } from "../generation/generation.ts";
import { bringUp } from "../swap/bring-up.ts";
import { checkLaunch } from "../swap/check-launch.ts";
import type { ListenerHold, NewcomerServices } from "../swap/newcomer-services.ts";
import { noYardstick, type Yardstick } from "../swap/incumbent.ts";
import { findMissingSecrets } from "../swap/proof.ts";
import { answersLive, proveNewcomer } from "../swap/prove-newcomer.ts";
import type { Effect } from "./effect.ts";
import type { ProofResult, SupervisionEvent, Verdict } from "./event.ts";
import type { SupervisorOptions } from "./options.ts";
import type { Processes } from "./processes.ts";
import type { TakeOverMode } from "./state.ts";

interface Newcomer {
  readonly mode: TakeOverMode;
  readonly hold: ListenerHold;
  readonly yardstick: Yardstick;
  readonly services: NewcomerServices;
}

/** At most one newcomer at a time; first Envoys are proven here as well. */
export class Newcomers {
  readonly #options: SupervisorOptions;
  readonly #processes: Processes;
  readonly #newcomers = new Map<number, Newcomer>();
  #yardstick: Yardstick = noYardstick;

  constructor(options: SupervisorOptions, processes: Processes) {
    this.#options = options;
    this.#processes = processes;
  }

  /** The look before a swap. Never rejects. */
  async check(
    { request, from, isSilent }: Extract<Effect, { kind: "check" }>,
    cancel: AbortSignal,
  ): Promise<Verdict> {
    const { log, ownPids, knownPorts, memory } = this.#options;
    const generation = from === undefined ? undefined : this.#processes.get(from);
    const active =
      generation === undefined
        ? undefined
        : { generation, isSilent, listeners: this.#processes.listeners(generation.number) };
    const deps = {
      ...{ log, knownPorts, memory, services: this.#options.newcomers.current },
      ownPids: () => [...ownPids, ...this.#processes.pids()],
    };
    const check = await checkLaunch(request.launch, request.mode, active, deps, cancel);
    if (check.kind !== "go") return check;
    this.#yardstick = check.yardstick;
    return { kind: "go", mode: check.mode };
  }

  /** Before a newcomer is started: the streams that it opens get no listeners until it has its clusters. */
  holdListeners(number: number, mode: TakeOverMode): void {
    const services = this.#options.newcomers.current;
    if (services === undefined) return;
    const hold = services.holdListeners();
    this.#newcomers.set(number, { mode, hold, yardstick: this.#yardstick, services });
  }

  /** Its listeners are held back no longer. */
  release(number: number): void {
    this.#newcomers.get(number)?.hold[Symbol.dispose]();
    this.#newcomers.delete(number);
  }

  /** Follow an Envoy until it is proven. Undefined when it has died, which is told elsewhere. Never rejects. */
  async prove(
    generation: Generation,
    limits: Extract<Effect, { kind: "prove" }>["limits"],
    tell: (event: SupervisionEvent) => void,
    cancel: AbortSignal,
  ): Promise<ProofResult | undefined> {
    const { number } = generation;
    const newcomer = this.#newcomers.get(number);
    let isLive = false;
    const live = (): void => {
      if (!isLive) tell({ kind: "live", number });
      isLive = true;
    };
    const result = await bringUp(
      generation,
      {
        onClusters: () => {
          newcomer?.hold.release();
        },
        onWaiting: (reason) => {
          if (newcomer === undefined) tell({ kind: "waits-for", number, reason });
          else this.#options.log.debug("new generation is not proven yet", { generation: number, reason });
        },
        prove: async () => {
          live();
          // To be told so may have cancelled it.
          if (cancel.aborted) return [];
          if (newcomer === undefined) return findMissingSecrets(generation.admin);
          return proveNewcomer(generation, newcomer.yardstick, newcomer.services, newcomer.hold);
        },
        liveWithinMs: limits?.liveWithinMs,
        provenWithinMs: limits?.provenWithinMs,
      },
      cancel,
    );
    switch (result.kind) {
      case "died":
        return undefined;
      case "cancelled": {
        const wasAsked = result.wasLive || newcomer?.mode !== "hot";
        return { kind: "cancelled", isLive: wasAsked ? result.wasLive : await answersLive(generation) };
      }
      default:
        return result;
    }
  }
}
