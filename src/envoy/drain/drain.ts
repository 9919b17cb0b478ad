/**
 * Ending an Envoy without cutting requests: serve on for a while, drain, and watch who still is connected.
 *
 * The clock decides, and Envoy's admin interface is asked beside it: one that hangs neither blocks nor shortens a
 * drain.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { aborted, sleep } from "../../lifecycle/sleep.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Stats } from "../admin/admin.ts";
import {
  type Connections,
  connectionStats,
  describeConnections,
  outboundListeners,
  totalConnections,
  workloadConnections,
} from "./connections.ts";
import {
  afterPoll,
  type ConnectionCount,
  drainBegun,
  type DrainPlan,
  type DrainProgress,
  nextPollMs,
} from "./drain-plan.ts";
import { nextStep } from "./stop-step.ts";
import type { EnvoyOptions } from "../generation/options.ts";

/** The part of the admin interface that a drain needs. Every call rejects after a deadline of its own. */
export interface DrainControl {
  drainListeners(options: { readonly inboundOnly: boolean; readonly skipExit: boolean }): Promise<void>;
  stats(filter: string, timeoutMs?: number): Promise<Stats>;
  configDump(resource: string): Promise<readonly unknown[]>;
}

/** Which listeners drain and which of them are the agent's own. */
export type DrainScope = Pick<EnvoyOptions, "drainInboundOnly" | "ownPorts">;

/** What can happen in a drain. */
export interface DrainEvents {
  /** Somebody does not want to wait any longer. */
  readonly cut: AbortSignal;
  /** Envoy has ended. */
  readonly gone: AbortSignal;
  /** Something has happened that calls for another plan; undefined when nothing can. */
  readonly replan: AbortSignal | undefined;
}

/** Between two looks at the clock and the last poll, in milliseconds. */
const tickMs = 100;

/** Shortest time between two lines about who is connected, in milliseconds. */
const reportEveryMs = 3_000;

const statsTimeoutMs = 2_000;

/**
 * Drain as planned, until that is over or something ends it. Never rejects: a step that fails is logged and tried
 * again.
 *
 * @param plan for all that is known by now; asked for again and again
 */
export async function drain(
  admin: DrainControl,
  plan: () => DrainPlan,
  scope: DrainScope,
  events: DrainEvents,
  log: Logger,
): Promise<void> {
  const { cut, gone, replan } = events;
  const ended = AbortSignal.any([cut, gone]);
  const begunAt = performance.now();
  let running: RunningDrain | undefined;
  for (;;) {
    const now = performance.now();
    const step = nextStep(plan(), {
      isCut: cut.aborted,
      isGone: gone.aborted,
      waitedMs: now - begunAt,
      drainedMs: running === undefined ? undefined : now - running.startedAt,
      progress: running?.observer.progress ?? drainBegun,
    });
    switch (step.kind) {
      case "serve-on":
        log.info("serving on before the drain", { delayMs: Math.round(step.forMs) });
        await sleep(
          Math.ceil(step.forMs),
          AbortSignal.any([ended, ...(replan === undefined ? [] : [replan])]),
        );
        break;
      case "drain":
        running ??= beginDrain(admin, plan, scope, ended, log);
        await sleep(tickMs, ended);
        break;
      case "end":
        await running?.stop();
        log.info("drained", {
          because: step.because,
          afterMs: Math.round(now - (running?.startedAt ?? now)),
          ...running?.observer.left(),
        });
        return;
    }
  }
}

interface RunningDrain {
  readonly startedAt: number;
  readonly observer: DrainObserver;
  readonly stop: () => Promise<void>;
}

function beginDrain(
  admin: DrainControl,
  plan: () => DrainPlan,
  scope: DrainScope,
  ended: AbortSignal,
  log: Logger,
): RunningDrain {
  const { minimumMs, maximumMs } = plan();
  log.info("draining Envoy", { listeners: scope.drainInboundOnly ? "inbound" : "all", minimumMs, maximumMs });
  const over = new AbortController();
  const observer = new DrainObserver(admin, plan, scope, log);
  const observing = observer.run(AbortSignal.any([ended, over.signal]));
  return {
    startedAt: observer.startedAt,
    observer,
    stop: async () => {
      over.abort();
      await observing;
    },
  };
}

/** Asks Envoy to drain and who is connected, again and again. */
class DrainObserver {
  readonly #admin: DrainControl;
  readonly #plan: () => DrainPlan;
  readonly #scope: DrainScope;
  readonly #log: Logger;
  readonly startedAt = performance.now();
  readonly #problems = new Map<string, string>();
  #progress = drainBegun;
  #accepted = false;
  #outbound: ReadonlySet<string> | undefined;
  #connections: Connections | undefined;
  #reported: { readonly text: string; readonly at: number } | undefined;

  constructor(admin: DrainControl, plan: () => DrainPlan, scope: DrainScope, log: Logger) {
    this.#admin = admin;
    this.#plan = plan;
    this.#scope = scope;
    this.#log = log;
  }

  get progress(): DrainProgress {
    return this.#progress;
  }

  /** Fields for the last line. */
  left(): { readonly connections: number | string; readonly listeners?: string } {
    if (this.#connections === undefined) return { connections: "unknown" };
    if (this.#connections.size === 0) return { connections: 0 };
    return {
      connections: totalConnections(this.#connections),
      listeners: describeConnections(this.#connections),
    };
  }

  async run(stop: AbortSignal): Promise<void> {
    const stopped = aborted(stop);
    // A call that hangs is left to its own deadline.
    const unlessStopped = (step: Promise<void>): Promise<void> => Promise.race([step, stopped]);
    while (!stop.aborted) {
      if (!this.#accepted) await unlessStopped(this.#ask());
      if (!stop.aborted && this.#needsDirections()) await unlessStopped(this.#learnDirections());
      if (!stop.aborted) await unlessStopped(this.#poll());
      await sleep(nextPollMs(this.#plan(), performance.now() - this.startedAt), stop);
    }
  }

  #needsDirections(): boolean {
    const { endsAtZero, countsOutbound } = this.#plan();
    return endsAtZero && !countsOutbound && this.#scope.drainInboundOnly && this.#outbound === undefined;
  }

  async #ask(): Promise<void> {
    try {
      await this.#admin.drainListeners({ inboundOnly: this.#scope.drainInboundOnly, skipExit: false });
      this.#accepted = true;
    } catch (error) {
      this.#warn("Envoy was not asked to drain", errorMessage(error));
    }
  }

  async #learnDirections(): Promise<void> {
    try {
      this.#outbound = outboundListeners(await this.#admin.configDump("dynamic_listeners"));
    } catch (error) {
      this.#warn("outbound listeners are unknown, their connections count too", errorMessage(error));
    }
  }

  async #poll(): Promise<void> {
    const askedAtMs = performance.now() - this.startedAt;
    this.#progress = afterPoll(this.#progress, await this.#count(), askedAtMs);
  }

  async #count(): Promise<ConnectionCount> {
    try {
      const stats = await this.#admin.stats(connectionStats, statsTimeoutMs);
      this.#connections = workloadConnections(stats, {
        ownPorts: this.#scope.ownPorts,
        outbound: this.#outbound ?? new Set(),
      });
    } catch (error) {
      this.#warn("active connections are unknown", errorMessage(error));
      return { kind: "unknown" };
    }
    if (this.#connections === undefined) {
      const remedy =
        "include statistics with the suffix downstream_cx_active in the bootstrap's stats_matcher";
      this.#warn("active connections are unknown", `Envoy does not keep their statistics: ${remedy}`);
      return { kind: "not-kept" };
    }
    this.#report(this.#connections);
    return { kind: "counted", connections: totalConnections(this.#connections) };
  }

  #report(connections: Connections): void {
    const text = describeConnections(connections);
    const now = performance.now();
    if (text === "" || text === this.#reported?.text) return;
    if (this.#reported !== undefined && now - this.#reported.at < reportEveryMs) return;
    this.#reported = { text, at: now };
    this.#log.info("connections are still open", {
      connections: totalConnections(connections),
      listeners: text,
    });
  }

  /** Once per step and reason. */
  #warn(message: string, reason: string): void {
    if (this.#problems.get(message) === reason) return;
    this.#problems.set(message, reason);
    this.#log.warn(message, { reason });
  }
}
