/**
 * Carries out what supervision decides: keeps its state, executes effects in a task group, and turns what comes of them
 * into events.
 */
import { saveLastGood, loadLastGood } from "../generation/last-good.ts";
import type { Generation } from "../generation/generation.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import { drainUntilGone } from "../drain/drain-until-gone.ts";
import { retire } from "../drain/retire.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { thisMoment } from "../../lifecycle/moment.ts";
import { TaskGroup } from "../../lifecycle/task-group.ts";
import { Timer } from "../../lifecycle/timer.ts";
import type { Effect } from "./effect.ts";
import type { SupervisionEvent } from "./event.ts";
import { watchActive } from "./hang-watch.ts";
import { Newcomers } from "./newcomers.ts";
import type { SupervisorOptions } from "./options.ts";
import { Processes } from "./processes.ts";
import { SupervisionReport } from "./report.ts";
import type { SupervisionEnd } from "./shown.ts";
import { activeOf, hotChildOf, initialState, type SupervisionState } from "./state.ts";
import type { SwapReport } from "./swap-request.ts";
import { transition } from "./transition.ts";

/** Who asks for the end, and how urgently. None is forgotten for another that came before it. */
export interface StopRequests {
  /** Drain, and end. */
  readonly shutdown: AbortSignal;
  /** The application asks for the end, or is gone: a drain that is under way has less to wait for. */
  readonly applicationEnded: AbortSignal;
  /** End at once. */
  readonly hurry: AbortSignal;
}

/** Runs once. Making one starts nothing. */
export class Runner {
  readonly #options: SupervisorOptions;
  readonly #processes: Processes;
  readonly #newcomers: Newcomers;
  readonly #tasks = new TaskGroup();
  readonly #timers = new Map<string, Timer>();
  /** What can be cancelled, by what it is. */
  readonly #cancels = new Map<string, AbortController>();
  readonly #askers = new Map<number, (report: SwapReport) => void>();
  readonly #events: SupervisionEvent[] = [];
  readonly #ended = Promise.withResolvers<SupervisionEnd>();
  #requests: StopRequests | undefined;
  #state: SupervisionState;
  #isHandling = false;
  /** Nothing is begun any more: what is left is only to end. */
  #isClosed = false;
  #taskCount = 0;
  #askerCount = 0;
  #startError: unknown;
  readonly report: SupervisionReport;

  constructor(options: SupervisorOptions) {
    const { supervision, log, onLogLine } = options;
    this.#options = options;
    this.#state = initialState(supervision);
    this.report = new SupervisionReport(this.#state);
    this.#processes = new Processes({
      tasks: this.#tasks,
      swapMode: supervision.swapMode,
      log,
      onLogLine,
      onExited: ({ number, isSignaled }, exit) => {
        this.tell({ kind: "exited", number, exit, isSignaled });
      },
    });
    this.#newcomers = new Newcomers(options, this.#processes);
  }

  get state(): SupervisionState {
    return this.#state;
  }

  /** The process of a generation that lives, or whose end is being explained. */
  generation(number: number): Generation | undefined {
    return this.#processes.get(number);
  }

  /** Ask for another Envoy. Resolves when it serves, or when it is clear that it will not. */
  swap(launch: PreparedLaunch, trigger: string, isForced: boolean): Promise<SwapReport> {
    if (this.#isClosed) return Promise.resolve({ result: "stopped" });
    this.#askerCount += 1;
    const asker = this.#askerCount;
    return new Promise((resolve) => {
      this.#askers.set(asker, resolve);
      this.tell({ kind: "swap-requested", asker, launch, trigger, isForced });
    });
  }

  /** Resolves once every Envoy is gone. */
  async run(requests: StopRequests): Promise<SupervisionEnd> {
    this.#requests = requests;
    this.#tasks.signal.addEventListener("abort", () => {
      this.#ended.reject(this.#tasks.failure);
    });
    this.tell({ kind: "begin", launch: this.#options.launch });
    this.#tasks.spawn("watch-for-hangs", (signal) =>
      watchActive(this.#options, () => this.#watched(), this.tell.bind(this), signal),
    );
    this.#tasks.spawn("await-services", async (signal) => {
      for await (const services of this.#options.newcomers.changes(signal))
        if (services !== undefined) this.tell({ kind: "services-attached" });
    });
    whenAborted(requests.applicationEnded, () => {
      this.tell({ kind: "application-ended" });
    });
    whenAborted(requests.hurry, () => {
      this.tell({ kind: "hurry" });
    });
    const shutdown = AbortSignal.any([requests.shutdown, requests.applicationEnded]);
    whenAborted(shutdown, () => {
      this.tell({ kind: "stop", reason: shutdown.reason });
    });
    try {
      return await this.#ended.promise;
    } finally {
      this.#close();
      await this.#processes.clear();
      await this.#tasks[Symbol.asyncDispose]();
    }
  }

  #close(): void {
    this.#isClosed = true;
    this.#events.length = 0;
    for (const timer of this.#timers.values()) timer.cancel();
    for (const resolve of this.#askers.values()) resolve({ result: "stopped" });
    this.#askers.clear();
  }

  /** The Envoy that owes an answer: not one whose admin interface another has taken, or that is on its way out. */
  #watched(): Generation | undefined {
    const active = activeOf(this.#state);
    const isWatched =
      hotChildOf(this.#state) === undefined && active?.isBlind === false && active.asked === undefined;
    return isWatched ? this.generation(active.number) : undefined;
  }

  /** Something has happened. What follows from it is begun before this returns. */
  tell(event: SupervisionEvent): void {
    if (this.#isClosed) return;
    this.#events.push(event);
    if (this.#isHandling) return;
    this.#isHandling = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        this.#handle(next);
      }
    } catch (error) {
      this.#close();
      this.#ended.reject(error);
    } finally {
      this.#isHandling = false;
    }
  }

  #handle(event: SupervisionEvent): void {
    const moment = { now: performance.now(), random: Math.random() };
    const { state, effects } = transition(this.#state, event, moment);
    this.#state = state;
    this.report.show(state, new Date());
    for (const effect of effects) this.#execute(effect);
  }

  #execute(effect: Effect): void {
    switch (effect.kind) {
      case "start":
        // Before anything else that has happened: the state takes it for started.
        this.#events.unshift(this.#start(effect));
        break;
      case "prove":
        this.#prove(effect);
        break;
      case "cancel-proof":
        this.#cancel(`proof ${effect.number}`);
        break;
      case "check":
        this.#cancellable("check", async (cancel) => {
          const verdict = await this.#newcomers.check(effect, cancel);
          return cancel.aborted ? undefined : { kind: "checked", verdict };
        });
        break;
      case "cancel-check":
        this.#cancel("check");
        break;
      case "kill":
        this.generation(effect.number)?.kill();
        break;
      case "terminate":
        this.#ofEnvoy(effect, (generation) => generation.stop(this.#requests?.hurry));
        break;
      case "drain":
        this.#drain(effect);
        break;
      case "cancel-drain":
        this.#cancel(`drain ${effect.number}`);
        break;
      case "retire":
        this.#retire(effect);
        break;
      case "explain":
        this.#ofEnvoy(effect, (generation) => this.#explain(generation, effect));
        break;
      case "show-bootstrap":
        this.#processes.showBootstrap(effect.number);
        break;
      case "learn-listeners":
        this.#ofEnvoy(effect, ({ number }) => this.#processes.learnListeners(number));
        break;
      case "advance-epoch":
        this.generation(effect.number)?.lineage?.advanced();
        break;
      case "heal-lineage":
        this.generation(effect.number)?.lineage?.heal();
        break;
      case "close-lineage":
        this.generation(effect.number)?.lineage?.close(effect.reason);
        break;
      case "keep-launch":
        this.#keep(effect.launch);
        break;
      case "answer":
        for (const asker of effect.askers) {
          this.#askers.get(asker)?.(effect.report);
          this.#askers.delete(asker);
        }
        break;
      case "set-timer":
        this.#setTimer(effect);
        break;
      case "observe":
        this.#observe(effect);
        break;
      case "count-exit":
        this.report.exited(effect.number, effect.diagnosis, thisMoment());
        break;
      case "count-swap":
        this.report.swapped(effect.mode, effect.report, effect.trigger, thisMoment());
        this.#options.onSwapEnd?.(effect);
        break;
      case "log":
        this.#options.log[effect.level](effect.message, effect.fields);
        break;
      case "end":
        this.#ended.resolve(effect.end);
        break;
      case "fail":
        this.#ended.reject(this.#startError ?? new Error(effect.reason));
        break;
    }
  }

  #start(effect: Extract<Effect, { kind: "start" }>): SupervisionEvent {
    const { number, descent } = effect;
    if (descent.kind === "newcomer") this.#newcomers.holdListeners(number, descent.mode);
    try {
      const generation = this.#processes.start(effect);
      this.#options.observer.started(generation);
      const { pid, lineage } = generation;
      return { kind: "started", number, pid, isHotCapable: lineage !== undefined };
    } catch (error) {
      this.#newcomers.release(number);
      this.#startError = error;
      return { kind: "not-started", number, reason: errorMessage(error) };
    }
  }

  #prove({ number, limits }: Extract<Effect, { kind: "prove" }>): void {
    this.#cancellable(`proof ${number}`, async (cancel) => {
      const generation = this.generation(number);
      if (generation === undefined) return undefined;
      const result = await this.#newcomers.prove(generation, limits, this.tell.bind(this), cancel);
      this.#newcomers.release(number);
      return result === undefined ? undefined : { kind: "proof", number, result };
    });
  }

  #drain({ number, before, wasReady }: Extract<Effect, { kind: "drain" }>): void {
    this.#cancellable(`drain ${number}`, async (cancel) => {
      const generation = this.generation(number);
      const requests = before === "stop" ? this.#requests : undefined;
      if (generation !== undefined) {
        const cut = requests === undefined ? cancel : AbortSignal.any([cancel, requests.hurry]);
        const applicationEnded = requests?.applicationEnded;
        await drainUntilGone(generation, wasReady, { cut, applicationEnded }, this.#options.log);
      }
      return cancel.aborted ? undefined : { kind: "drained", number };
    });
  }

  #retire(effect: Extract<Effect, { kind: "retire" }>): void {
    const { how, successor } = effect;
    const hasSuccessor = (): boolean => successor !== undefined && this.#processes.lives(successor);
    this.#ofEnvoy(effect, (generation) => retire(generation, how, this.#options.log, hasSuccessor));
  }

  async #explain(generation: Generation, effect: Extract<Effect, { kind: "explain" }>): Promise<void> {
    const { number, exit, asked, wasLive, wantsKept } = effect;
    const { explain, observer } = this.#options;
    await generation.finalLines();
    const diagnosis = explain(generation, exit, { asked, wasLive });
    observer.ended(generation, diagnosis, generation.lastLines);
    const kept =
      wantsKept && diagnosis.reason === "configuration" ? this.#kept(generation.launch) : undefined;
    this.tell({ kind: "explained", number, exit, diagnosis, kept });
    this.#processes.forget(number);
  }

  #kept({ binary, options }: PreparedLaunch): PreparedLaunch | undefined {
    try {
      return loadLastGood(binary, options);
    } catch (error) {
      this.#options.log.warn("last good bootstrap on disk cannot be used", { reason: errorMessage(error) });
      return undefined;
    }
  }

  #keep(launch: PreparedLaunch): void {
    try {
      saveLastGood(launch);
    } catch (error) {
      this.#options.log.warn("last good bootstrap was not kept on disk", { reason: errorMessage(error) });
    }
  }

  #observe({ number, occasion }: Extract<Effect, { kind: "observe" }>): void {
    const generation = this.generation(number);
    if (generation === undefined) return;
    if (occasion === "proven") this.#options.observer.proven(generation);
    else this.#options.observer.ending(generation, occasion);
  }

  #setTimer({ timer, ms }: Extract<Effect, { kind: "set-timer" }>): void {
    const name = "number" in timer ? `${timer.kind} ${timer.number}` : timer.kind;
    this.#timers.get(name)?.cancel();
    const handle = new Timer(ms, () => {
      this.#timers.delete(name);
      this.tell({ kind: "timer", timer });
    });
    this.#timers.set(name, handle);
  }

  #ofEnvoy(
    { kind, number }: { readonly kind: string; readonly number: number },
    work: (generation: Generation) => Promise<void>,
  ): void {
    const generation = this.generation(number);
    if (generation !== undefined) this.#spawn(`${kind}-${number}`, () => work(generation));
  }

  /** Start a piece of work that the effect with this name cancels; what it comes to is an event. */
  #cancellable(name: string, work: (cancel: AbortSignal) => Promise<SupervisionEvent | undefined>): void {
    const controller = new AbortController();
    this.#cancels.set(name, controller);
    this.#spawn(name.replace(" ", "-"), async (signal) => {
      const event = await work(AbortSignal.any([controller.signal, signal]));
      if (this.#cancels.get(name) === controller) this.#cancels.delete(name);
      if (event !== undefined) this.tell(event);
    });
  }

  #cancel(name: string): void {
    this.#cancels.get(name)?.abort();
  }

  /** The same may be under way already, cancelled and about to end. */
  #spawn(name: string, task: (signal: AbortSignal) => Promise<void>): void {
    this.#taskCount += 1;
    this.#tasks.spawn(`${name}-${this.#taskCount}`, task);
  }
}

function whenAborted(signal: AbortSignal, action: () => void): void {
  if (signal.aborted) action();
  else signal.addEventListener("abort", action, { once: true });
}
