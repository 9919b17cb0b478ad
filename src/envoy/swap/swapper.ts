/**
 * Takes requests for another Envoy and carries them out one at a time, when the time is right.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { type Backoff, backoffDelayMs } from "../../lifecycle/backoff.ts";
import { aborted } from "../../lifecycle/sleep.ts";
import { Timer } from "../../lifecycle/timer.ts";
import type { LaunchMemory } from "../generation/launch-memory.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import type { NewcomerServices } from "./newcomer-services.ts";
import type { Roster } from "../roster.ts";
import type { Seat } from "../seat.ts";
import type { SupervisionEvent } from "../supervision-event.ts";
import type { SupervisionReport } from "../supervision-report.ts";
import type { SupervisorOptions } from "../supervisor-options.ts";
import type { Incumbent } from "./preflight.ts";
import { inspect, swap, type SwapDependencies, type SwapOutcome } from "./swap.ts";
import type { SwapMode, SwapModeRequest } from "./swap-mode.ts";
import { repairRequest, type SwapReport, type SwapRequest, SwapRequests } from "./swap-requests.ts";

/** What the swapper works on; the supervisor owns all of it. */
export interface SwapperParts {
  readonly options: SupervisorOptions;
  readonly roster: Roster;
  readonly memory: LaunchMemory;
  readonly report: SupervisionReport;
  readonly push: (event: SupervisionEvent) => void;
  /** A good bootstrap is being started again and has not failed more than once. */
  readonly isRecovering: () => boolean;
}

interface RunningSwap {
  readonly request: SwapRequest;
  readonly stop: AbortController;
  readonly cut: AbortController;
  readonly outcome: Promise<SwapOutcome>;
  newcomer: Seat | undefined;
  mode: SwapMode | undefined;
}

/** What a swap that was interrupted has come to. */
export interface InterruptedSwap {
  readonly request: SwapRequest;
  readonly outcome: SwapOutcome;
}

/** Between two looks at what keeps a request waiting, in milliseconds. */
const recheckMs = 250;

/** Between two attempts to give a blind Envoy a successor. */
const repairBackoff: Backoff = { initialMs: 500, multiplier: 2, maxMs: 60_000, jitter: 0.2 };

/** At most one swap runs. */
export class Swapper {
  readonly #parts: SwapperParts;
  readonly #requests = new SwapRequests();
  #services: NewcomerServices | undefined;
  #running: RunningSwap | undefined;
  #waitingFor: string | undefined;
  #timer: Timer | undefined;
  #failedRepairs = 0;
  #isStopped = false;

  constructor(parts: SwapperParts) {
    this.#parts = parts;
  }

  /** Newcomers can be served from now on. */
  attach(services: NewcomerServices): void {
    this.#services = services;
    this.#parts.push({ kind: "requests" });
  }

  /** The newcomer that has taken the admin interface over and is not active yet. */
  get adminHolder(): Seat | undefined {
    return this.#running?.mode === "hot" ? this.#running.newcomer : undefined;
  }

  /** Why a request waits; undefined when none does. */
  get waitingFor(): string | undefined {
    return this.#waitingFor;
  }

  /** Ask for another Envoy. Resolves when it serves, or when it is clear that it will not. */
  request(launch: PreparedLaunch, trigger: string, isForced: boolean): Promise<SwapReport> {
    const { memory, options } = this.#parts;
    const { refused } = memory;
    if (!isForced && refused?.fingerprint === launch.fingerprint) {
      options.log.info("configuration is as it was when it was refused", { trigger, reason: refused.reason });
      return Promise.resolve({ result: "refused", stage: "live", reason: `as before: ${refused.reason}` });
    }
    return new Promise((report) => {
      this.#enqueue({
        launch,
        trigger,
        mode: options.supervision.swapMode,
        repairs: undefined,
        requestedAt: performance.now(),
        report,
      });
    });
  }

  /** Replace the active Envoy because of what has become of it, before anything else. */
  repair(seat: Seat, launch: PreparedLaunch, trigger: string, mode: SwapModeRequest): void {
    this.#enqueue(repairRequest(seat.generation.number, launch, trigger, mode));
  }

  #enqueue(request: SwapRequest): void {
    if (this.#isStopped) {
      request.report({ result: "stopped" });
      return;
    }
    this.#requests.add(request);
    this.#parts.push({ kind: "requests" });
  }

  /** Begin what can begin. */
  look(): void {
    this.#timer?.cancel();
    if (this.#running !== undefined || this.#isStopped) return;
    const request = this.#requests.next;
    if (request === undefined) {
      this.#waitingFor = undefined;
      return;
    }
    const { roster, options } = this.#parts;
    if (this.#isOutdated(request)) {
      this.#requests.take(request);
      this.#failedRepairs = 0;
      this.look();
      return;
    }
    if (request.repairs === undefined && this.#serves(request.launch)) {
      this.#requests.take(request);
      options.log.info("Envoy runs with this configuration already", { trigger: request.trigger });
      this.#parts.memory.clearRefusal();
      request.report({ result: "unchanged", generation: roster.newest });
      this.look();
      return;
    }
    const obstacle = this.#obstacle(request);
    if (obstacle !== undefined) {
      if (obstacle !== this.#waitingFor) {
        options.log.info("a swap of Envoy waits", { trigger: request.trigger, reason: obstacle });
      }
      this.#waitingFor = obstacle;
      this.#timer = new Timer(recheckMs, () => {
        this.#parts.push({ kind: "requests" });
      });
      return;
    }
    this.#waitingFor = undefined;
    this.#requests.take(request);
    this.#start(request);
  }

  /** End the running swap, if there is one, and wait for how it went; its event will find it settled. */
  async abort(): Promise<InterruptedSwap | undefined> {
    this.#running?.cut.abort();
    return this.#interrupted();
  }

  /** Serve no more requests, and end the running swap as soon as that loses nothing; at once when `hurry` aborts. */
  async finish(hurry: AbortSignal): Promise<InterruptedSwap | undefined> {
    this.#refuseRequests();
    const running = this.#running;
    running?.stop.abort();
    void aborted(hurry).then(() => running?.cut.abort());
    return this.#interrupted();
  }

  async #interrupted(): Promise<InterruptedSwap | undefined> {
    const running = this.#running;
    return running === undefined ? undefined : { request: running.request, outcome: await running.outcome };
  }

  /** True while the swap of `request` has not been settled. */
  isRunning(request: SwapRequest): boolean {
    return this.#running?.request === request;
  }

  /** Serve no more requests, and end the running swap at once. */
  stop(): void {
    this.#refuseRequests();
    this.#running?.cut.abort();
  }

  #refuseRequests(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#requests.stop();
  }

  /** The running swap has ended; the newcomer's seat, if it has one. */
  ended(): Seat | undefined {
    const newcomer = this.#running?.newcomer;
    this.#running = undefined;
    return newcomer;
  }

  /** Tell the requester and the report what became of a request. */
  settle(request: SwapRequest, mode: SwapMode | undefined, report: SwapReport): void {
    this.#parts.report.swapped(mode ?? "none", report, request.trigger, new Date());
    if (report.result === "swapped") this.#failedRepairs = 0;
    request.report(report);
  }

  /** A request that was interrupted comes again. */
  putBack(request: SwapRequest): void {
    if (this.#isStopped) request.report({ result: "stopped" });
    else this.#requests.putBack(request);
  }

  /** Give an Envoy that is cut off a successor: first by hot restart, then beside it, then again with back-off. */
  mend(seat: Seat): void {
    const attempt = this.#failedRepairs;
    this.#failedRepairs += 1;
    const mode = attempt === 0 ? "hot" : "overlap";
    const begin = (): void => {
      this.repair(seat, seat.generation.launch, "the running Envoy is cut off", mode);
    };
    if (attempt <= 1) begin();
    else new Timer(backoffDelayMs(repairBackoff, attempt - 2, Math.random()), begin, { isBackground: true });
  }

  /** The Envoy that was to be repaired has ended in the meantime. */
  #isOutdated({ repairs }: SwapRequest): boolean {
    return repairs !== undefined && this.#parts.roster.active?.generation.number !== repairs;
  }

  #serves(launch: PreparedLaunch): boolean {
    const { active } = this.#parts.roster;
    return active !== undefined && active.generation.launch.fingerprint === launch.fingerprint;
  }

  #obstacle(request: SwapRequest): string | undefined {
    const { active, retiring } = this.#parts.roster;
    const services = this.#services;
    if (services === undefined) return "the agent is still starting";
    if (active?.isProven !== true) {
      // An Envoy that never served has nothing to lose; one that comes back from a death is waited for.
      return this.#parts.isRecovering() ? "Envoy is being restarted" : undefined;
    }
    if (request.repairs === undefined && active.asked !== undefined) return "Envoy is being replaced";
    if (request.repairs === undefined && active.isDrainedOnRequest)
      return "Envoy's listeners are being drained on request";
    if (request.repairs === undefined && retiring.size > 0) return "a replaced Envoy still has connections";
    return services.obstacle(request.launch);
  }

  #start(request: SwapRequest): void {
    const services = this.#services;
    if (services === undefined) return;
    const { roster, push } = this.#parts;
    const { active } = roster;
    const [stop, cut] = [new AbortController(), new AbortController()];
    const interrupts = { stop: stop.signal, cut: cut.signal };
    const running: Omit<RunningSwap, "outcome"> = {
      ...{ request, stop, cut },
      ...{ newcomer: undefined, mode: undefined },
    };
    const deps = this.#dependencies(services, running);
    const outcome = (
      active?.isProven === true
        ? swap(incumbent(active), request.launch, request.mode, deps, interrupts)
        : inspect(request.launch, deps, AbortSignal.any([stop.signal, cut.signal]))
    ).catch((error: unknown): SwapOutcome => ({
      kind: "failed",
      stage: "start",
      reason: errorMessage(error),
      isBlind: false,
    }));
    this.#running = Object.assign(running, { outcome });
    void outcome.then((result) => {
      push({ kind: "swap-ended", request, outcome: result });
    });
  }

  #dependencies(services: NewcomerServices, running: Omit<RunningSwap, "outcome">): SwapDependencies {
    const { options, roster } = this.#parts;
    return {
      log: options.log,
      limits: options.supervision.swap,
      services,
      ownPids: () => [...options.ownPids, ...roster.pids()],
      knownPorts: options.knownPorts,
      memory: options.memory,
      founder: () => roster.founder(),
      start: (launch, descent, mode) => {
        const seat = roster.start(launch, descent);
        running.newcomer = seat;
        running.mode = mode;
        return seat.generation;
      },
      describeEnd: async (exit) => {
        const diagnosis = await running.newcomer?.diagnose(options.explain, exit);
        return diagnosis?.message ?? "ended";
      },
      asked: () => {
        if (running.newcomer !== undefined) running.newcomer.asked ??= "aborted";
      },
    };
  }
}

function incumbent(seat: Seat): Incumbent {
  return {
    generation: seat.generation,
    isSilent: seat.isBlind || seat.asked === "hung",
    listeners: seat.listeners,
  };
}
