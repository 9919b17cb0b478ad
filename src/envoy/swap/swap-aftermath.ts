/**
 * What follows from the end of a swap: who is active now, who is retired, and what has to be mended.
 */
import { drainUntilGone } from "../drain/drain-until-gone.ts";
import type { ChildExit } from "../../process/child.ts";
import type { ExitDiagnosis } from "../exits/exit-diagnosis.ts";
import type { LaunchMemory } from "../generation/launch-memory.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import type { Roster } from "../roster.ts";
import type { Seat } from "../seat.ts";
import type { SupervisionReport } from "../supervision-report.ts";
import type { SupervisorOptions } from "../supervisor-options.ts";
import type { SwapOutcome } from "./swap.ts";
import type { Swapper } from "./swapper.ts";
import type { SwapRequest } from "./swap-requests.ts";

/** What the supervisor does for it. */
export interface AftermathActions {
  /** Start an Envoy without a predecessor, now or as soon as it can be. */
  readonly begin: (launch: PreparedLaunch, trial?: SwapRequest) => void;
  /** The seat's Envoy is proven. */
  readonly proven: (seat: Seat) => void;
  /** Follow an active Envoy that is not proven yet. */
  readonly follow: (seat: Seat) => void;
  /** Do something later, unless supervision has ended by then. */
  readonly delay: (ms: number, action: () => void) => void;
  /** Aborts when the agent is asked to stop. */
  readonly stopping: AbortSignal;
}

/** What it works on. */
export interface AftermathParts {
  readonly options: SupervisorOptions;
  readonly roster: Roster;
  readonly memory: LaunchMemory;
  readonly report: SupervisionReport;
  readonly swapper: Swapper;
  readonly actions: AftermathActions;
}

/** A death that is not an exit of the active Envoy: nobody accepts connections any more. */
export interface Loss {
  readonly seat: Seat;
  readonly diagnosis: ExitDiagnosis;
}

/** Longest wait for the successor of a hung Envoy, in milliseconds. */
const hungReplacementMs = 3_000;

/** Handles one outcome at a time. */
export class SwapAftermath {
  readonly #parts: AftermathParts;

  constructor(parts: AftermathParts) {
    this.#parts = parts;
  }

  /** Resolves with a loss that calls for a restart, if there is one. */
  async handle(
    request: SwapRequest,
    outcome: SwapOutcome,
    newcomer: Seat | undefined,
  ): Promise<Loss | undefined> {
    switch (outcome.kind) {
      case "promoted":
        if (newcomer !== undefined) this.#promote(request, newcomer, outcome.mode, outcome.isProven);
        return undefined;
      case "faulty":
        if (newcomer !== undefined) this.#adoptFaulty(request, newcomer, outcome.reason);
        return undefined;
      case "failed":
        this.#refuse(request, outcome);
        return undefined;
      case "cancelled":
        this.#markBlind(outcome.isBlind);
        this.#parts.swapper.putBack(request);
        return undefined;
      case "lost":
        return this.#afterLoss(request, outcome, newcomer);
      case "cold":
        await this.#startCold(request);
        return undefined;
    }
  }

  /**
   * An Envoy that has handed its listeners over exits with 0 when its successor tells it to; the successor cannot live
   * without it before.
   */
  afterOthersExit(seat: Seat, exit: ChildExit, diagnosis: ExitDiagnosis): void {
    const { active } = this.#parts.roster;
    const { lineage } = seat.generation;
    if (lineage === undefined || active?.generation.lineage !== lineage) return;
    const { ageMs, launch } = active.generation;
    const wasTold =
      (exit.kind === "exited" && exit.code === 0) || ageMs > launch.options.parentShutdownDurationMs;
    if (wasTold || seat.generation.number > active.generation.number) return;
    this.#parts.options.log.warn(
      "replaced Envoy died before its time, which will end the Envoy that took over from it",
      { generation: seat.generation.number, reason: diagnosis.message },
    );
    this.#replaceOrphan(active);
  }

  /** The active Envoy hangs: put another one in its place. */
  afterHang(seat: Seat, isStopped: boolean, reason: string): void {
    const { roster, report, options, swapper, memory, actions } = this.#parts;
    if (seat !== roster.active || seat.asked !== undefined) return;
    const { generation } = seat;
    report.hung();
    options.log.error("Envoy hangs, replacing it", { generation: generation.number, reason });
    options.observer.ending(generation, "hang");
    seat.asked = "hung";
    const end = (): void => {
      if (seat === roster.active) generation.kill();
    };
    // A stopped process holds its share of the port and serves nobody; one whose main thread alone hangs may still
    // serve, so that it is worth a moment to have the next one ready first.
    if (isStopped || !seat.isProven) {
      end();
      return;
    }
    swapper.repair(seat, memory.lastGood ?? generation.launch, "Envoy hangs", "overlap");
    actions.delay(hungReplacementMs, end);
  }

  /** A launch that a cold swap has put on trial has failed. */
  failTrial(seat: Seat, stage: "live" | "proof", reason: string): void {
    const { memory, options, swapper } = this.#parts;
    memory.refuse(seat.generation.launch, reason);
    if (seat.trial === undefined) return;
    options.log.error("newcomer failed, going back", { generation: seat.generation.number, stage, reason });
    swapper.settle(seat.trial, "cold", { result: "refused", stage, reason });
    seat.trial = undefined;
  }

  #replaceOrphan(seat: Seat): void {
    seat.isOrphaned = true;
    seat.generation.lineage?.close("its parent has died");
    this.#parts.swapper.repair(seat, seat.generation.launch, "its parent has died", "overlap");
  }

  #promote(request: SwapRequest, newcomer: Seat, mode: "overlap" | "hot", isProven: boolean): void {
    const { roster, options, swapper, memory, actions } = this.#parts;
    const { generation } = newcomer;
    const old = roster.active;
    const report = {
      result: "swapped",
      mode,
      generation: generation.number,
      afterMs: Math.round(performance.now() - request.requestedAt),
    } as const;
    options.log.info("Envoy swapped", {
      generation: generation.number,
      from: old?.generation.number,
      mode,
      trigger: request.trigger,
      afterMs: report.afterMs,
    });
    if (mode === "hot") generation.lineage?.advanced();
    this.#succeed(old, newcomer, mode);
    if (request.repairs === undefined) memory.clearRefusal();
    if (isProven) actions.proven(newcomer);
    else actions.follow(newcomer);
    swapper.settle(request, mode, report);
    if (mode === "hot" && old === undefined) this.#replaceOrphan(newcomer);
  }

  /** The newcomer has the listeners already: it serves until another one is proven beside it. */
  #adoptFaulty(request: SwapRequest, newcomer: Seat, reason: string): void {
    const { roster, options, swapper, memory, actions } = this.#parts;
    const { generation } = newcomer;
    options.log.error("newcomer took over and lacks something, putting the last good bootstrap beside it", {
      generation: generation.number,
      reason,
    });
    generation.lineage?.advanced();
    this.#succeed(roster.active, newcomer, "hot");
    newcomer.waitingFor = reason;
    if (request.repairs === undefined) memory.refuse(request.launch, reason);
    swapper.settle(request, "hot", { result: "refused", stage: "proof", reason });
    actions.follow(newcomer);
    if (memory.lastGood !== undefined)
      swapper.repair(newcomer, memory.lastGood, `the newcomer lacks something: ${reason}`, "overlap");
  }

  #succeed(old: Seat | undefined, newcomer: Seat, mode: "overlap" | "hot"): void {
    const { roster, options, report, actions } = this.#parts;
    const { generation } = newcomer;
    newcomer.serves = "everybody";
    roster.activate(newcomer);
    // Nobody is to be told that it is ready.
    if (!actions.stopping.aborted)
      report.state.set({ kind: "starting", generation: generation.number, pid: generation.pid });
    if (old === undefined) return;
    options.observer.ending(old.generation, "drain");
    if (mode === "hot") roster.retire(old, "handed-over", newcomer);
    else if (old.asked === "hung") roster.retire(old, "hung");
    else roster.retire(old, old.isOrphaned ? "orphaned" : "overlapped");
  }

  #refuse(request: SwapRequest, outcome: Extract<SwapOutcome, { kind: "failed" }>): void {
    const { options, memory, roster, swapper } = this.#parts;
    const { stage, reason } = outcome;
    options.log.error("newcomer refused, Envoy serves on as it was", {
      serving: roster.active?.generation.number,
      stage,
      reason,
      trigger: request.trigger,
    });
    // A taken port and an impossible mode are no fault of the launch: the next look may find it otherwise.
    const isToBlame = stage === "validate" || stage === "live" || stage === "proof";
    if (request.repairs === undefined && isToBlame) memory.refuse(request.launch, reason);
    swapper.settle(request, undefined, { result: "refused", stage, reason });
    this.#markBlind(outcome.isBlind);
    const { active } = roster;
    if (request.repairs === undefined || active === undefined) return;
    if (active.asked === "hung") active.generation.kill();
    // It is about to abort, so that a drained end is better than none.
    else if (active.isOrphaned && stage === "mode")
      swapper.repair(active, active.generation.launch, "its parent has died", "cold");
    else if (active.isBlind || active.isOrphaned) swapper.mend(active);
  }

  #markBlind(isBlind: boolean): void {
    const { active } = this.#parts.roster;
    if (!isBlind || active === undefined || active.isBlind) return;
    active.isBlind = true;
    this.#parts.options.log.warn(
      "Envoy has lost its admin interface to a newcomer that failed, replacing it",
      {
        generation: active.generation.number,
      },
    );
    this.#parts.swapper.mend(active);
  }

  #afterLoss(
    request: SwapRequest,
    outcome: Extract<SwapOutcome, { kind: "lost" }>,
    newcomer: Seat | undefined,
  ): Loss | undefined {
    const { options, memory, roster, swapper } = this.#parts;
    const { reason } = outcome;
    options.log.error("newcomer died after it took over", { reason, trigger: request.trigger });
    if (request.repairs === undefined) memory.refuse(request.launch, reason);
    swapper.settle(request, "hot", { result: "refused", stage: "proof", reason });
    const old = roster.active;
    if (old !== undefined) {
      roster.retire(old, "bereft");
      roster.vacate();
    }
    const seat = newcomer ?? old;
    if (seat === undefined) return undefined;
    return { seat, diagnosis: { reason: "exited", message: reason, exitCode: 1 } };
  }

  /** There is no way but to stop the one before the other starts. */
  async #startCold(request: SwapRequest): Promise<void> {
    const { roster, options, report, actions, swapper } = this.#parts;
    const old = roster.active;
    if (actions.stopping.aborted) {
      swapper.putBack(request);
      return;
    }
    if (old !== undefined) {
      const { generation } = old;
      old.asked = "handover";
      report.state.set({ kind: "restarting", reason: "is being replaced", delayMs: 0 });
      options.observer.ending(generation, "drain");
      if (old.isProven) {
        options.log.info("draining Envoy before its replacement starts", { generation: generation.number });
        const requests = { cut: actions.stopping, applicationEnded: undefined };
        await drainUntilGone(generation, true, requests, options.log);
        if (actions.stopping.aborted) {
          // The stop drains it to its end.
          old.asked = undefined;
          swapper.putBack(request);
          return;
        }
      }
      // An orphan would wait ten seconds for its dead parent before it heeded a signal.
      if (old.isOrphaned) generation.kill();
      await generation.stop();
    }
    if (actions.stopping.aborted) swapper.putBack(request);
    else actions.begin(request.launch, request);
  }
}
