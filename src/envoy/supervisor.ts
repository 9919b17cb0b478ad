/**
 * Keeps one Envoy serving: starts it again when it dies, replaces it when it hangs, swaps it when its configuration
 * changes, and drains it on a stop.
 *
 * Everything that happens is an event, and events are handled one at a time. What takes long (a swap, the end of a
 * replaced Envoy) runs beside the loop and reports to it.
 */
import type { ChildExit } from "../process/child.ts";
import { EventQueue } from "../lifecycle/event-queue.ts";
import { aborted } from "../lifecycle/sleep.ts";
import { Timer } from "../lifecycle/timer.ts";
import type { EnvoyAdmin } from "./admin.ts";
import type { BringUpResult } from "./swap/bring-up.ts";
import { stopEnd } from "./drain/stop-step.ts";
import type { ExitDiagnosis } from "./exits/exit-diagnosis.ts";
import type { Generation } from "./generation/generation.ts";
import { LaunchMemory } from "./generation/launch-memory.ts";
import type { PreparedLaunch } from "./generation/launch.ts";
import type { NewcomerServices } from "./swap/newcomer-services.ts";
import { PatientStart } from "./patient-start.ts";
import type { EnvoyReadiness } from "./readiness.ts";
import { Restarts } from "./restarts.ts";
import { Roster } from "./roster.ts";
import type { Seat } from "./seat.ts";
import { askWhetherServing, proveServing } from "./serving.ts";
import type { SupervisionEnd } from "./state.ts";
import type { SupervisionEvent } from "./supervision-event.ts";
import { SupervisionReport } from "./supervision-report.ts";
import type { SupervisorOptions } from "./supervisor-options.ts";
import type { SwapOutcome } from "./swap/swap.ts";
import { watchSeats } from "./seat-watch.ts";
import { endActive, type StopRequests } from "./stop.ts";
import { SwapAftermath } from "./swap/swap-aftermath.ts";
import { Swapper } from "./swap/swapper.ts";
import type { SwapReport, SwapRequest } from "./swap/swap-requests.ts";

/** Runs generations of Envoy. */
export class EnvoySupervisor {
  readonly #options: SupervisorOptions;
  readonly #events = new EventQueue<SupervisionEvent>();
  readonly #memory: LaunchMemory;
  readonly #roster: Roster;
  readonly #swapper: Swapper;
  readonly #aftermath: SwapAftermath;
  readonly #restarts: Restarts;
  readonly #starts: PatientStart;
  readonly #stopping = new AbortController();
  readonly #timers = new Set<Timer>();
  readonly #ended = new AbortController();
  #launch: PreparedLaunch;
  #lastAdmin: EnvoyAdmin;
  /** The Envoy that was drained on request. */
  #drained: Seat | undefined;
  #wasEverReady = false;
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
      isRecovering: () => this.#restarts.isRecovering,
    });
    this.#restarts = new Restarts(options, this.#memory, this.report);
    this.#aftermath = new SwapAftermath({
      options,
      roster: this.#roster,
      memory: this.#memory,
      report: this.report,
      swapper: this.#swapper,
      actions: {
        begin: (launch, trial) => {
          this.#starts.start(launch, trial);
        },
        proven: (seat) => {
          this.#markProven(seat);
        },
        follow: (seat) => {
          this.#follow(seat);
        },
        delay: (ms, action) => {
          this.#delay(ms, action);
        },
        stopping: this.#stopping.signal,
      },
    });
    this.#starts = new PatientStart({
      log: options.log,
      report: this.report,
      begin: (launch, trial) => this.#begin(launch, trial),
      later: this.#delay.bind(this),
      isWanted: () => this.#roster.active === undefined && !this.#stopping.signal.aborted,
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

  /** The Envoy that serves or is to serve; undefined while there is none. */
  get active(): Generation | undefined {
    return this.#roster.active?.generation;
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
  readiness(): Promise<EnvoyReadiness> {
    const hasAdmin = this.#swapper.adminHolder === undefined;
    return askWhetherServing(this.report.state.current, this.#roster.active, hasAdmin);
  }

  /** Drain and keep the process: a later stop then ends it at once (Istio's POST /drain). */
  async drainOnRequest(): Promise<void> {
    const { active } = this.#roster;
    await this.admin.drainListeners({ inboundOnly: this.#launch.options.drainInboundOnly, skipExit: true });
    this.#drained = active;
    this.noteDrain("POST /drain");
  }

  /** Somebody has drained the active Envoy's listeners: no swap brings them back. */
  noteDrain(how: string): void {
    const { active } = this.#roster;
    if (active !== undefined) active.isDrainedOnRequest = true;
    this.#options.log.info("draining Envoy on request, it is kept", {
      generation: active?.generation.number,
      how,
    });
  }

  /** Have Envoy open its log files again. One that is still starting has none to close. */
  async reopenLogs(): Promise<void> {
    if (this.#roster.active?.isProven === true) await this.admin.reopenLogs();
  }

  /**
   * Supervise until a stop is asked for and Envoy is drained, or until the restart budget is spent. Resolves
   * only once every Envoy is gone.
   */
  async run(requests: StopRequests): Promise<SupervisionEnd> {
    const shutdown = AbortSignal.any([requests.shutdown, requests.applicationEnded]);
    void aborted(shutdown).then(() => {
      this.#stopping.abort(shutdown.reason);
      this.#events.push({ kind: "stop", reason: shutdown.reason });
    });
    void watchSeats(
      this.#options,
      () => (this.#swapper.adminHolder === undefined ? this.#roster.active : undefined),
      (event) => {
        this.#events.push(event);
      },
      this.#ended.signal,
    );
    try {
      for (;;) {
        const end = await this.#handle(await this.#events.next(), requests);
        if (end !== undefined) return end;
      }
    } finally {
      this.#ended.abort();
      this.#swapper.stop();
      for (const timer of this.#timers) timer.cancel();
      await this.#roster.clear();
    }
  }

  async #handle(event: SupervisionEvent, requests: StopRequests): Promise<SupervisionEnd | undefined> {
    switch (event.kind) {
      case "stop":
        return this.#stop(event.reason, requests);
      case "exited":
        return this.#afterExit(event.seat, event.exit, event.wasActive);
      case "brought-up":
        this.#afterBringUp(event.seat, event.result);
        break;
      case "stood-the-test":
        if (event.seat === this.#roster.active) this.#memory.passed(event.seat.generation.launch);
        break;
      case "hung":
        this.#aftermath.afterHang(event.seat, event.isStopped, event.reason);
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
    if (generation.pid !== undefined) this.#starts.succeeded();
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
        this.#aftermath.failTrial(seat, result.kind === "faulty" ? "proof" : "live", result.reason);
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
    seat.serves = "everybody";
    this.#wasEverReady = true;
    this.#restarts.proven();
    void seat.learnListeners();
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
    const diagnosis = await seat.diagnose(explain, exit);
    this.report.exited(generation.number, diagnosis, new Date());
    observer.ended(generation, diagnosis, generation.lastLines);
    if (!wasActive) {
      this.#aftermath.afterOthersExit(seat, exit, diagnosis);
      return undefined;
    }
    const interrupted = await this.#swapper.abort();
    if (interrupted !== undefined) await this.#afterSwap(interrupted.request, interrupted.outcome);
    if (this.#roster.active !== undefined) return undefined;
    if (this.#starts.takesOn(seat, exit)) return undefined;
    return this.#afterDeath(seat, diagnosis);
  }

  #afterDeath(seat: Seat, diagnosis: ExitDiagnosis): SupervisionEnd | undefined {
    if (seat.trial !== undefined) this.#aftermath.failTrial(seat, "live", diagnosis.message);
    const plan = this.#restarts.afterDeath(seat, diagnosis);
    if (plan.kind === "give-up") {
      this.report.state.set({ kind: "stopped", reason: diagnosis.message });
      return plan.end;
    }
    const { launch, delayMs } = plan;
    this.report.state.set({ kind: "restarting", reason: diagnosis.message, delayMs });
    this.#starts.startAfter(delayMs, launch);
    return undefined;
  }

  async #afterSwap(request: SwapRequest, outcome: SwapOutcome): Promise<SupervisionEnd | undefined> {
    if (!this.#swapper.isRunning(request)) return undefined;
    const loss = await this.#aftermath.handle(request, outcome, this.#swapper.ended());
    this.#events.push({ kind: "requests" });
    return loss === undefined ? undefined : this.#afterDeath(loss.seat, loss.diagnosis);
  }

  async #stop(reason: unknown, requests: StopRequests): Promise<SupervisionEnd> {
    const { log, observer } = this.#options;
    this.report.draining(this.#roster.active?.generation);
    const interrupted = await this.#swapper.finish(requests.hurry);
    if (interrupted !== undefined) await this.#afterSwap(interrupted.request, interrupted.outcome);
    const { active } = this.#roster;
    if (active !== undefined) {
      this.report.draining(active.generation);
      await endActive(active, requests, { log, observer, reason, isDrained: this.#drained === active });
    }
    await this.#roster.clear();
    this.report.state.set({ kind: "stopped", reason: "asked to stop" });
    log.info("Envoy stopped", { generation: active?.generation.number });
    return {
      kind: stopEnd({
        wasEverReady: this.#wasEverReady,
        applicationEnded: requests.applicationEnded.aborted,
        isCut: requests.hurry.aborted,
      }),
    };
  }

  #after(ms: number, event: SupervisionEvent): void {
    this.#delay(ms, () => {
      this.#events.push(event);
    });
  }

  #delay(ms: number, action: () => void): void {
    const timer = new Timer(ms, () => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.add(timer);
  }
}
