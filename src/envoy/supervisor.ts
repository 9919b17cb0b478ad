/**
 * Keeps one Envoy running until it is asked to drain, and starts it again when it dies.
 *
 * SIGTERM is never passed on as it came: Envoy would close its listeners at once. A stop is a drain first.
 */
import { errorMessage } from "../lifecycle/error-message.ts";
import { aborted, sleep } from "../lifecycle/sleep.ts";
import { type ReadonlyWatch, Watch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import type { EnvoyAdmin } from "./admin.ts";
import { drain } from "./drain.ts";
import { planDrain } from "./drain-plan.ts";
import { describeExit, exitCodeOf, lastWords } from "./exit.ts";
import { Generation } from "./generation.ts";
import type { EnvoyOptions } from "./options.ts";
import { type EnvoyReadiness, envoyReadiness, readinessStats } from "./readiness.ts";
import { decideRestart, type RestartPolicy } from "./restart-policy.ts";
import type { EnvoyState, SupervisionEnd } from "./state.ts";

/** What the supervisor runs and whom it tells. */
export interface SupervisorOptions {
  readonly binary: string;
  readonly envoy: EnvoyOptions;
  readonly restart: RestartPolicy;
  readonly renderBootstrap: (adminSocketPath: string) => string;
  readonly log: Logger;
  /** Gets each line of Envoy's own log. */
  readonly onLogLine: (line: string) => void;
}

/** Between two looks at an Envoy that is starting, in milliseconds. */
const startPollMs = 20;

/** Runs generations one after the other. */
export class EnvoySupervisor {
  readonly #options: SupervisorOptions;
  readonly #state: Watch<EnvoyState>;
  readonly #deaths: number[] = [];
  #generation: Generation;
  #restarts = 0;
  /** The Envoy that was drained on request. */
  #drained: Generation | undefined;

  private constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#generation = this.#start(1);
    this.#state = new Watch<EnvoyState>(this.#starting());
  }

  /**
   * Start the first Envoy. `run` must follow.
   *
   * @throws the system error when the bootstrap cannot be written
   */
  static start(options: SupervisorOptions): EnvoySupervisor {
    return new EnvoySupervisor(options);
  }

  get state(): ReadonlyWatch<EnvoyState> {
    return this.#state;
  }

  /** Times that Envoy was started again after it died. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Admin interface of the active generation. */
  get admin(): EnvoyAdmin {
    return this.#generation.admin;
  }

  /** Ask the active Envoy whether it serves. Never cached: an Envoy that hangs is not ready. */
  async readiness(): Promise<EnvoyReadiness> {
    const state = this.#state.current;
    switch (state.kind) {
      case "draining":
        return { ready: false, reason: "Envoy is draining" };
      case "stopped":
        return { ready: false, reason: `Envoy is stopped: ${state.reason}` };
      case "restarting":
        return { ready: false, reason: `Envoy ${state.reason}; it is being restarted` };
      case "starting":
      case "live":
        return this.#askReadiness();
    }
  }

  /** Resolves once Envoy serves, or when `signal` aborts. */
  async live(signal: AbortSignal): Promise<void> {
    for await (const { kind } of this.#state.changes(signal)) if (kind === "live") return;
  }

  /** Drain and keep the process: a later stop then ends it at once (Istio's POST /drain). */
  async drainOnRequest(): Promise<void> {
    const generation = this.#generation;
    await generation.admin.drainListeners({
      inboundOnly: this.#options.envoy.drainInboundOnly,
      skipExit: true,
    });
    this.#drained = generation;
    this.#options.log.info("draining Envoy on request, it is kept", { generation: generation.number });
  }

  /**
   * Supervise until `shutdown` aborts and Envoy is drained, or until the restart budget is spent. Resolves
   * only once Envoy is gone.
   *
   * @param hurry ends a drain at once
   */
  async run(shutdown: AbortSignal, hurry: AbortSignal): Promise<SupervisionEnd> {
    for (;;) {
      const generation = this.#generation;
      const gone = new AbortController();
      void this.#announceLive(generation, AbortSignal.any([gone.signal, shutdown]));
      const exit = await Promise.race([generation.exited, aborted(shutdown)]);
      gone.abort();
      if (exit === undefined) return this.#stop(generation, shutdown.reason, hurry);

      const words = lastWords(generation.lastLines);
      const reason = words === undefined ? describeExit(exit) : `${describeExit(exit)}: ${words}`;
      this.#deaths.push(performance.now());
      const decision = decideRestart(this.#options.restart, this.#deaths, Math.random());
      if (decision.kind === "give-up") {
        this.#state.set({ kind: "stopped", reason });
        this.#options.log.error("Envoy keeps dying, giving up", { reason, restarts: this.#restarts });
        return { kind: "gave-up", exitCode: exitCodeOf(exit), reason };
      }
      this.#options.log.error("Envoy died, restarting it", {
        reason,
        generation: generation.number,
        uptimeMs: Math.round(performance.now() - generation.startedAt),
        delayMs: decision.delayMs,
      });
      this.#state.set({ kind: "restarting", reason, delayMs: decision.delayMs });
      await sleep(decision.delayMs, shutdown);
      if (shutdown.aborted) return { kind: "drained" };
      this.#restarts += 1;
      this.#generation = this.#start(generation.number + 1);
      this.#state.set(this.#starting());
    }
  }

  async #stop(generation: Generation, reason: unknown, hurry: AbortSignal): Promise<SupervisionEnd> {
    const { log } = this.#options;
    this.#state.set({ kind: "draining", generation: generation.number });
    log.info("stopping", { reason: errorMessage(reason), generation: generation.number });
    if (this.#drained !== generation) {
      const ended = new AbortController();
      void generation.exited.then(() => {
        ended.abort();
      });
      const { envoy } = this.#options;
      const plan = planDrain(envoy, reason);
      await drain(generation.admin, plan, envoy, AbortSignal.any([hurry, ended.signal]), log);
    }
    if (hurry.aborted) generation.kill();
    await generation.stop();
    this.#state.set({ kind: "stopped", reason: "asked to stop" });
    log.info("Envoy stopped", { generation: generation.number });
    return { kind: hurry.aborted ? "cut-short" : "drained" };
  }

  #start(number: number): Generation {
    const { binary, envoy, renderBootstrap, onLogLine, log } = this.#options;
    const generation = Generation.start({ number, binary, options: envoy, renderBootstrap, onLogLine });
    log.info("Envoy started", { generation: number, pid: generation.pid, binary });
    return generation;
  }

  #starting(): EnvoyState {
    return { kind: "starting", generation: this.#generation.number, pid: this.#generation.pid };
  }

  async #announceLive(generation: Generation, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      if ((await this.#askReadiness()).ready) break;
      await sleep(startPollMs, stop);
    }
    if (stop.aborted) return;
    this.#state.set({ kind: "live", generation: generation.number, pid: generation.pid });
    this.#options.log.info("Envoy is live", {
      generation: generation.number,
      afterMs: Math.round(performance.now() - generation.startedAt),
    });
  }

  async #askReadiness(): Promise<EnvoyReadiness> {
    try {
      return envoyReadiness(await this.admin.stats(readinessStats));
    } catch (error) {
      return { ready: false, reason: `Envoy's admin does not answer: ${errorMessage(error)}` };
    }
  }
}
