/**
 * Ending an Envoy without cutting requests: drain, wait, stop.
 */
import type { Logger } from "../telemetry/log.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { sleep } from "../lifecycle/sleep.ts";
import type { Stats } from "./admin.ts";
import type { EnvoyOptions } from "./options.ts";

/** The part of the admin interface that a drain needs. */
export interface DrainControl {
  drainListeners(options: { readonly inboundOnly: boolean; readonly skipExit: boolean }): Promise<void>;
  stats(filter: string, timeoutMs?: number): Promise<Stats>;
}

/** How long Envoy may take to flush its logs after SIGTERM, in milliseconds. */
export const flushMs = 1_000;

const pollMs = 1_000;

/**
 * Drain until the time is over, no connection is left (where the options ask for that), or `cut` aborts.
 *
 * A step that fails is logged and never shortens the drain.
 */
export async function drain(
  admin: DrainControl,
  options: EnvoyOptions,
  cut: AbortSignal,
  log: Logger,
): Promise<void> {
  try {
    await admin.drainListeners({ inboundOnly: options.drainInboundOnly, skipExit: false });
  } catch (error) {
    log.warn("Envoy was not asked to drain", { reason: errorMessage(error) });
  }
  if (!options.exitOnZeroActiveConnections) {
    await sleep(options.terminationDrainDurationMs, cut);
    return;
  }
  await sleep(options.minimumDrainDurationMs, cut);
  while (!cut.aborted && (await connectionsLeft(admin, log)) !== 0) await sleep(pollMs, cut);
}

async function connectionsLeft(admin: DrainControl, log: Logger): Promise<number | undefined> {
  try {
    return activeConnections(await admin.stats("downstream_cx_active$", 2_000));
  } catch (error) {
    log.warn("active connections are unknown", { reason: errorMessage(error) });
    return undefined;
  }
}

/** Connections of the workload's listeners; the agent's own listeners, workers and admin do not count. */
export function activeConnections(stats: Stats): number {
  let total = 0;
  for (const [name, value] of stats) {
    const own = /^listener\.(admin|agent_readiness|prometheus_stats|envoy_internal_)/.test(name);
    if (name.startsWith("listener.") && !own && !name.includes("worker_")) total += value;
  }
  return total;
}
