/**
 * Keeps one Envoy serving: starts it again when it dies, replaces it when it hangs, swaps it when its configuration
 * changes, and drains it on a stop.
 *
 * Everything that happens is an event, and events are handled one at a time. What takes long (a swap, the end of a
 * replaced Envoy) runs beside the loop and reports to it.
 */
import type { ChildExit } from "../lifecycle/child.ts";
import { EventQueue } from "../lifecycle/event-queue.ts";
import { readMainThreadStat } from "../lifecycle/process-identity.ts";
import { aborted } from "../lifecycle/sleep.ts";
import type { EnvoyAdmin } from "./admin.ts";
import type { BringUpResult } from "./bring-up.ts";
import { drain } from "./drain.ts";
import type { ExitDiagnosis } from "./exit-diagnosis.ts";
import { LaunchMemory } from "./launch-memory.ts";
import type { PreparedLaunch } from "./launch.ts";
import type { NewcomerServices } from "./newcomer-services.ts";
import type { EnvoyReadiness } from "./readiness.ts";
import { type Death, deathsThatCount, decideRestart } from "./restart-policy.ts";
import { Roster } from "./roster.ts";
import type { Seat } from "./seat.ts";
import { askWhetherServing, proveServing } from "./serving.ts";
import type { SupervisionEnd } from "./state.ts";
import type { SupervisionEvent } from "./supervision-event.ts";
import { SupervisionReport } from "./supervision-report.ts";
import type { SupervisorOptions } from "./supervisor-options.ts";
import type { SwapOutcome } from "./swap.ts";
import { SwapAftermath } from "./swap-aftermath.ts";
import { Swapper } from "./swapper.ts";
import type { SwapReport, SwapRequest } from "./swap-requests.ts";
import { watchForHangs, type WatchTarget } from "./watchdog.ts";

/** Runs generations of Envoy. */
export class EnvoySupervisor {
  readonly #options: SupervisorOptions;
  readonly #events = new EventQueue<SupervisionEvent>();
  readonly #memory: LaunchMemory;
  readonly #roster: Roster;
  readonly #swapper: Swapper;
  readonly #aftermath: SwapAftermath;
  readonly #stopping = new AbortController();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #ended = new AbortController();
  #deaths: readonly Death[] = [];
  #launch: PreparedLaunch;
  #lastAdmin: EnvoyAdmin;
  #deathsSinceProof = 0;
  #drainedOnRequest = false;
  /** Counts and state, for whoever shows them. */
  readonly report: SupervisionReport;

  private constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#launch = options.launch;
    this.#memory = new LaunchMemory(options.log);
    this.report = new SupervisionReport({ kind: "starting", generation: 1, pid: undefined });
    const push = (event: SupervisionEvent): void => {
      this.#events.push(event);
    };
    this.#roster = new Roster({
      swapMode: options.supervision.swapMode,
      log: options.log,
      onLogLine: options.onLogLine,
      onStarted: (generation) => {
        options.observer.started(generation);
      },
      onExited: (seat, exit, wasActive) => {
        this.#noticeExit(seat, exit, wasActive);
      },
      onRetired: () => {
        push({ kind: "requests" });
      },
    });
    this.#swapper = new Swapper({
      options,
      roster: this.#roster,
      memory: this.#memory,
      report: this.report,
      push,
      isRecovering: () => this.#memory.lastGood !== undefined && this.#deathsSinceProof < 2,
    });
    this.#aftermath = new SwapAftermath({
      options,
      roster: this.#roster,
      memory: this.#memory,
      report: this.report,
      swapper: this.#swapper,
      actions: {
        begin: (launch, trial) => this.#begin(launch, trial),
        proven: (seat) => {
          this.#markProven(seat);
        },
        follow: (seat) => {
          this.#follow(seat);
        },
        orphaned: (seat) => {
          this.#replaceOrphan(seat);
        },
        stopping: this.#stopping.signal,
      },
    });
    this.#lastAdmin = this.#begin(options.launch).generation.admin;
  }

  /**
   * Start the first Envoy. `run` must follow.
   *
   * @throws the system error when the bootstrap cannot be written
   */
  static start(options: SupervisorOptions): EnvoySupervisor {
    return new EnvoySupervisor(options);
  }

  /** Newcomers can be served from now on: swaps may begin. */
  attach(services: NewcomerServices): void {
    this.#swapper.attach(services);
  }

  /** Admin interface of the Envoy that has one: the active generation, or the newcomer that takes over from it. */
  get admin(): EnvoyAdmin {
    return (this.#swapper.adminHolder ?? this.#roster.active)?.generation.admin ?? this.#lastAdmin;
  }

  /** Why a swap that was asked for has not begun; undefined when none waits. */
  get swapWaitsFor(): string | undefined {
    return this.#swapper.waitingFor;
  }

  /** The newest configuration that failed while an older one serves; undefined when there is none. */
  get refused(): string | undefined {
    return this.#memory.refused?.reason;
  }

  /** Ask for another Envoy; see `Swapper.request`. */
  swap(launch: PreparedLaunch, trigger: string, isForced = false): Promise<SwapReport> {
    return this.#swapper.request(launch, trigger, isForced);
  }

  /** Whether Envoy serves, and if not, why. */
  async readiness(): Promise<EnvoyReadiness> {
    const state = this.report.state.current;
    const { active } = this.#roster;
    switch (state.kind) {
      case "draining":
        return { ready: false, reason: "Envoy is draining" };
      case "stopped":
        return { ready: false, reason: `Envoy is stopped: ${state.reason}` };
      case "restarting":
        return { ready: false, reason: `Envoy ${state.reason}; it is being restarted` };
      case "starting":
      case "live":
        if (active === undefined) return { ready: false, reason: "Envoy is being restarted" };
        return askWhetherServing(active, this.#swapper.adminHolder === undefined);
    }
  }

  /** Drain and keep the process: a later stop then ends it at once (Istio's POST /drain). */
  async drainOnRequest(): Promise<void> {
    this.#drainedOnRequest = true;
    await this.admin.drainListeners({
      inboundOnly: this.#launch.options.drainInboundOnly,
      skipExit: true,
    });
  }

  /** Have Envoy open its log files again (SIGUSR1). */
  reopenLogs(): void {
    this.#roster.active?.generation.signal("SIGUSR1");
  }

  /**
   * Supervise until `shutdown` aborts and Envoy is drained, or until the restart budget is spent. Resolves
   * only once every Envoy is gone.
   *
   * @param hurry ends a drain at once
   */
  async run(shutdown: AbortSignal, hurry: AbortSignal): Promise<SupervisionEnd> {
    void aborted(shutdown).then(() => {
      this.#stopping.abort();
      this.#events.push({ kind: "stop" });
    });
    void watchForHangs(
      this.#options.supervision.hang,
      () => this.#watchTarget(),
      (id, { isStopped, reason }) => {
        const { active } = this.#roster;
        if (active?.generation.number === id) this.#events.push({ kind: "hung", seat: active, isStopped, reason });
      },
      this.#ended.signal,
    );
    try {
      for (;;) {
        const end = await this.#handle(await this.#events.next(), hurry);
        if (end !== undefined) return end;
      }
    } finally {
      this.#ended.abort();
      this.#swapper.stop();
      for (const timer of this.#timers) clearTimeout(timer);
      await this.#roster.clear();
    }
  }

  async #handle(
    event: SupervisionEvent,
    hurry: AbortSignal,
  ): Promise<SupervisionEnd | undefined> {
    switch (event.kind) {
      case "stop":
        return this.#stop(hurry);
      case "exited":
        return this.#afterExit(event.seat, event.exit, event.wasActive);
      case "brought-up":
        this.#afterBringUp(event.seat, event.result);
        break;
      case "stood-the-test":
        if (event.seat === this.#roster.active) this.#memory.accept(event.seat.generation.launch);
        break;
      case "hung":
        this.#afterHang(event.seat, event.isStopped, event.reason);
        break;
      case "restart":
        if (this.#roster.active === undefined) this.#begin(event.launch);
        break;
      case "requests":
        this.#swapper.look();
        break;
      case "swap-ended":
        return this.#afterSwap(event.request, event.outcome);
    }
    return undefined;
  }

  /** Start an Envoy without a predecessor. */
  #begin(launch: PreparedLaunch, trial?: SwapRequest): Seat {
    const seat = this.#roster.start(launch, this.#roster.founder(), trial);
    const { generation } = seat;
    this.#launch = launch;
    this.#lastAdmin = generation.admin;
    this.#roster.activate(seat);
    this.report.state.set({ kind: "starting", generation: generation.number, pid: generation.pid });
    this.#options.log.info("Envoy started", {
      generation: generation.number,
      pid: generation.pid,
      binary: launch.binary,
    });
    this.#follow(seat);
    return seat;
  }

  #follow(seat: Seat): void {
    // Without something good to go back to there is no use in a deadline.
    const isOnTrial = seat.trial !== undefined && this.#memory.lastGood !== undefined;
    const limits = isOnTrial ? this.#options.supervision.swap : undefined;
    void proveServing(seat, limits, this.#ended.signal).then((result) => {
      this.#events.push({ kind: "brought-up", seat, result });
    });
  }

  #afterBringUp(seat: Seat, result: BringUpResult): void {
    if (seat !== this.#roster.active) return;
    switch (result.kind) {
      case "proven":
        this.#options.log.info("Envoy is live", {
          generation: seat.generation.number,
          afterMs: seat.generation.ageMs,
        });
        this.#markProven(seat);
        break;
      case "never-live":
      case "faulty":
        // Only a trial has a deadline: the launch before it was good.
        this.#refuse(seat, result.kind === "faulty" ? "proof" : "live", result.reason);
        seat.asked = "aborted";
        seat.generation.kill();
        break;
      case "died":
      case "cancelled":
        break;
    }
    this.#events.push({ kind: "requests" });
  }

  #markProven(seat: Seat): void {
    const { generation } = seat;
    seat.provenAt = performance.now();
    this.#deathsSinceProof = 0;
    this.report.state.set({ kind: "live", generation: generation.number, pid: generation.pid });
    this.#options.observer.proven(generation);
    if (seat.trial !== undefined) {
      const afterMs = Math.round(performance.now() - seat.trial.requestedAt);
      this.#swapper.settle(seat.trial, "cold", {
        result: "swapped",
        mode: "cold",
        generation: generation.number,
        afterMs,
      });
      seat.trial = undefined;
    }
    // Before anything has served for long there is nothing better to go back to.
    if (this.#memory.lastGood === undefined) this.#memory.accept(generation.launch);
    this.#after(this.#options.supervision.swap.probationMs, { kind: "stood-the-test", seat });
  }

  /** In the same turn as the end itself: from now on nobody is told that Envoy is ready. */
  #noticeExit(seat: Seat, exit: ChildExit, wasActive: boolean): void {
    const { kind } = this.report.state.current;
    if (wasActive && (kind === "live" || kind === "starting")) {
      this.report.state.set({ kind: "restarting", reason: "has died", delayMs: 0 });
    }
    this.#events.push({ kind: "exited", seat, exit, wasActive });
  }

  async #afterExit(seat: Seat, exit: ChildExit, wasActive: boolean): Promise<SupervisionEnd | undefined> {
    const { generation } = seat;
    const { explain, observer } = this.#options;
    const lines = await generation.finalLines();
    const diagnosis = await explain(generation, exit, { asked: seat.asked, wasLive: seat.isProven });
    this.report.exited(generation.number, diagnosis, new Date());
    observer.ended(generation, diagnosis, lines);
    if (!wasActive) {
      this.#afterOthersExit(seat, diagnosis);
      return undefined;
    }
    const interrupted = await this.#swapper.abort();
    if (interrupted !== undefined) await this.#afterSwap(interrupted.request, interrupted.outcome);
    if (this.#roster.active !== undefined) return undefined;
    return this.#afterDeath(seat, diagnosis);
  }

  /** A replaced Envoy may only go when it is told to; the one that took over from it cannot live without it. */
  #afterOthersExit(seat: Seat, diagnosis: ExitDiagnosis): void {
    const { active } = this.#roster;
    const { lineage } = seat.generation;
    if (diagnosis.reason === "asked" || lineage === undefined || active?.generation.lineage !== lineage) return;
    this.#options.log.warn("replaced Envoy died before its time, which will end the Envoy that took over from it", {
      generation: seat.generation.number,
      reason: diagnosis.message,
    });
    this.#replaceOrphan(active);
  }

  #replaceOrphan(seat: Seat): void {
    seat.isOrphaned = true;
    seat.generation.lineage?.close("its parent has died");
    this.#swapper.repair(seat.generation.launch, "its parent has died", "overlap");
  }

  /** Start again, at once or later, or give up. */
  #afterDeath(seat: Seat, diagnosis: ExitDiagnosis): SupervisionEnd | undefined {
    const { generation } = seat;
    const { log, supervision } = this.#options;
    if (seat.trial !== undefined) this.#refuse(seat, "live", diagnosis.message);
    const next = this.#memory.afterDeath(generation.launch, diagnosis);
    if (seat.asked === "aborted") {
      this.#begin(next);
      return undefined;
    }
    this.#deathsSinceProof += 1;
    const now = performance.now();
    const servedMs = seat.provenAt === undefined ? 0 : now - seat.provenAt;
    this.#deaths = deathsThatCount(supervision.restart, [...this.#deaths, { at: now, servedMs }]);
    const decision = decideRestart(supervision.restart, this.#deaths, Math.random());
    const fields = {
      reason: diagnosis.message,
      cause: diagnosis.reason,
      field: diagnosis.field,
      remedy: diagnosis.remedy,
      generation: generation.number,
      uptimeMs: generation.ageMs,
    };
    if (decision.kind === "give-up") {
      this.report.state.set({ kind: "stopped", reason: diagnosis.message });
      log.error("Envoy keeps dying, giving up", { ...fields, restarts: this.report.restarts });
      return { kind: "gave-up", exitCode: diagnosis.exitCode, reason: diagnosis.message };
    }
    log.error("Envoy died, restarting it", { ...fields, delayMs: decision.delayMs });
    this.report.restarted();
    this.report.state.set({ kind: "restarting", reason: diagnosis.message, delayMs: decision.delayMs });
    if (decision.delayMs === 0) this.#begin(next);
    else this.#after(decision.delayMs, { kind: "restart", launch: next });
    return undefined;
  }

  #refuse(seat: Seat, stage: "live" | "proof", reason: string): void {
    this.#memory.refuse(seat.generation.launch, reason);
    if (seat.trial === undefined) return;
    this.#options.log.error("newcomer failed, going back", { generation: seat.generation.number, stage, reason });
    this.#swapper.settle(seat.trial, "cold", { result: "refused", stage, reason });
    seat.trial = undefined;
  }

  #afterHang(seat: Seat, isStopped: boolean, reason: string): void {
    if (seat !== this.#roster.active || seat.asked !== undefined) return;
    const { generation } = seat;
    this.report.hung();
    this.#options.log.error("Envoy hangs, replacing it", { generation: generation.number, reason });
    this.#options.observer.ending(generation, reason);
    seat.asked = "hung";
    const end = (): void => {
      if (seat === this.#roster.active) generation.kill();
    };
    // A stopped process holds its share of the port and serves nobody; one whose main thread alone hangs may still
    // serve, so that it is worth a moment to have the next one ready first.
    if (isStopped || !seat.isProven) {
      end();
      return;
    }
    this.#swapper.repair(this.#memory.lastGood ?? generation.launch, "Envoy hangs", "overlap");
    this.#delay(hungReplacementMs, end);
  }

  async #afterSwap(request: SwapRequest, outcome: SwapOutcome): Promise<SupervisionEnd | undefined> {
    if (!this.#swapper.isRunning(request)) return undefined;
    const loss = await this.#aftermath.handle(request, outcome, this.#swapper.ended());
    this.#events.push({ kind: "requests" });
    return loss === undefined ? undefined : this.#afterDeath(loss.seat, loss.diagnosis);
  }

  async #stop(hurry: AbortSignal): Promise<SupervisionEnd> {
    const { log, observer } = this.#options;
    this.#swapper.stop();
    const interrupted = await this.#swapper.abort();
    if (interrupted !== undefined) await this.#afterSwap(interrupted.request, interrupted.outcome);
    const { active } = this.#roster;
    if (active !== undefined) {
      const { generation } = active;
      this.report.state.set({ kind: "draining", generation: generation.number });
      if (!this.#drainedOnRequest) {
        log.info("draining Envoy", { generation: generation.number });
        observer.ending(generation, "asked to stop");
        const ended = new AbortController();
        void generation.exited.then(() => {
          ended.abort();
        });
        await drain(generation.admin, generation.launch.options, AbortSignal.any([hurry, ended.signal]), log);
      }
      active.asked ??= "stop";
      if (hurry.aborted) generation.kill();
      await generation.stop();
    }
    await this.#roster.clear();
    this.report.state.set({ kind: "stopped", reason: "asked to stop" });
    log.info("Envoy stopped", { generation: active?.generation.number });
    return { kind: hurry.aborted ? "cut-short" : "drained" };
  }

  #watchTarget(): WatchTarget | undefined {
    const { active } = this.#roster;
    if (active === undefined || active.isBlind || active.asked !== undefined) return undefined;
    if (this.#swapper.adminHolder !== undefined) return undefined;
    const { number, admin, pid } = active.generation;
    return {
      id: number,
      answers: (timeoutMs) => admin.answers(timeoutMs),
      mainThread: () => (pid === undefined ? undefined : readMainThreadStat(pid)),
    };
  }

  #after(ms: number, event: SupervisionEvent): void {
    this.#delay(ms, () => {
      this.#events.push(event);
    });
  }

  #delay(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    this.#timers.add(timer);
  }
}
