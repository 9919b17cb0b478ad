/**
 * Ending an Envoy without cutting requests: serve on for a while, drain, and watch who still is connected.
 *
 * The clock decides, and Envoy's admin interface is asked beside it: one that hangs neither blocks nor shortens a
 * drain.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { aborted, sleep } from "../../lifecycle/sleep.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Stats } from "../admin.ts";
import {
  type Connections,
  connectionStats,
  describeConnections,
  outboundListeners,
  totalConnections,
  workloadConnections,
} from "./connections.ts";
import { afterPoll, type ConnectionCount, drainBegun, drainEnd, type DrainPlan } from "./drain-plan.ts";
import type { EnvoyOptions } from "../options.ts";

/** The part of the admin interface that a drain needs. Every call rejects after a deadline of its own. */
export interface DrainControl {
  drainListeners(options: { readonly inboundOnly: boolean; readonly skipExit: boolean }): Promise<void>;
  stats(filter: string, timeoutMs?: number): Promise<Stats>;
  configDump(resource: string): Promise<readonly unknown[]>;
}

/** Which listeners drain and which of them are the agent's own. */
export type DrainScope = Pick<EnvoyOptions, "drainInboundOnly" | "ownPorts">;

/** How long Envoy may take to flush its logs after SIGTERM, in milliseconds. */
export const flushMs = 1_000;

/** Between two polls of the connections, and between two tries of a request that failed, in milliseconds. */
const pollMs = 1_000;

/** Between two looks at the clock and the last poll, in milliseconds. */
const tickMs = 100;

/** Shortest time between two lines about who is connected, in milliseconds. */
const reportEveryMs = 3_000;

const statsTimeoutMs = 2_000;

/** Drain as planned, or until `cut` aborts. Never rejects: a step that fails is logged and tried again. */
export async function drain(
  admin: DrainControl,
  plan: DrainPlan,
  scope: DrainScope,
  cut: AbortSignal,
  log: Logger,
): Promise<void> {
  if (plan.preDrainDelayMs > 0) {
    log.info("serving on before the drain", { delayMs: plan.preDrainDelayMs });
    await sleep(plan.preDrainDelayMs, cut);
  }
  if (cut.aborted) return;
  log.info("draining Envoy", {
    listeners: scope.drainInboundOnly ? "inbound" : "all",
    minimumMs: plan.minimumMs,
    maximumMs: plan.maximumMs,
  });
  const startedAt = performance.now();
  const over = new AbortController();
  const observer = new DrainObserver(admin, plan, scope, log);
  const observing = observer.run(AbortSignal.any([cut, over.signal]));
  let reason: string | undefined;
  while (!cut.aborted && reason === undefined) {
    await sleep(tickMs, cut);
    reason = drainEnd(plan, observer.progress, performance.now() - startedAt);
  }
  over.abort();
  await observing;
  log.info("drained", {
    because: reason ?? "it was cut short",
    afterMs: Math.round(performance.now() - startedAt),
    ...observer.left(),
  });
}

/** Asks Envoy to drain and who is connected, again and again. */
class DrainObserver {
  readonly #admin: DrainControl;
  readonly #plan: DrainPlan;
  readonly #scope: DrainScope;
  readonly #log: Logger;
  readonly #startedAt = performance.now();
  readonly #problems = new Map<string, string>();
  #progress = drainBegun;
  #accepted = false;
  #outbound: ReadonlySet<string> | undefined;
  #connections: Connections | undefined;
  #reported: { readonly text: string; readonly at: number } | undefined;

  constructor(admin: DrainControl, plan: DrainPlan, scope: DrainScope, log: Logger) {
    this.#admin = admin;
    this.#plan = plan;
    this.#scope = scope;
    this.#log = log;
  }

  get progress(): typeof drainBegun {
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
      await sleep(pollMs, stop);
    }
  }

  #needsDirections(): boolean {
    return this.#plan.endsAtZero && this.#scope.drainInboundOnly && this.#outbound === undefined;
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
    const count = await this.#count();
    this.#progress = afterPoll(this.#progress, count, performance.now() - this.#startedAt);
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
