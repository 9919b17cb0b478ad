/**
 * The end of an Envoy that another one has taken over from.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import type { Logger } from "../../telemetry/log.ts";
import { connectionStats, totalConnections, workloadConnections } from "./connections.ts";
import type { Generation } from "../generation/generation.ts";

/** Why and how an Envoy is retired. */
export type Retirement =
  /** It still accepts connections beside its successor: drain it. */
  | "overlapped"
  /** Its successor has its listeners and will end it at the end of its time. */
  | "handed-over"
  /** Its successor took its listeners and died: nobody will end it. */
  | "bereft"
  /** As overlapped, but a signal that it handles would block it: its parent has died. */
  | "orphaned"
  /** Nobody can talk to it. */
  | "hung";

/** Between two looks at the connections that are left, in milliseconds. */
const pollMs = 500;

/** How long a parent may outstay its time before it is killed, in milliseconds. */
const slackMs = 5_000;

/**
 * Wait until the Envoy is gone; end it when its time is over. Never rejects.
 *
 * @param hasSuccessor false once the Envoy that took over from it is dead
 */
export async function retire(
  generation: Generation,
  how: Retirement,
  log: Logger,
  hasSuccessor: () => boolean,
): Promise<void> {
  const { options } = generation.launch;
  const { gone } = generation;
  switch (how) {
    case "hung":
      generation.kill();
      break;
    case "handed-over":
      // Its successor tells it to exit; a signal from here would not reach it alone.
      await sleep(options.parentShutdownDurationMs, gone);
      if (!gone.aborted && !hasSuccessor()) await generation.stop();
      await sleep(slackMs, gone);
      if (!gone.aborted) {
        log.warn("replaced Envoy has outstayed its time, killing it", { generation: generation.number });
        generation.kill();
      }
      break;
    case "bereft":
      await sleep(options.parentShutdownDurationMs, gone);
      if (!gone.aborted) await generation.stop();
      break;
    case "orphaned":
      await drainReplaced(generation, gone, log);
      generation.kill();
      break;
    case "overlapped":
      await drainReplaced(generation, gone, log);
      if (!gone.aborted) await generation.stop();
      break;
  }
  await generation.exited;
  log.info("replaced Envoy is gone", { generation: generation.number, afterMs: generation.ageMs });
}

/** Drained when its listeners are closed and no connection is left, or at the end of its time. */
async function drainReplaced(generation: Generation, gone: AbortSignal, log: Logger): Promise<void> {
  const { drainDurationMs, parentShutdownDurationMs } = generation.launch.options;
  const end = performance.now() + Math.max(parentShutdownDurationMs, drainDurationMs);
  try {
    await generation.admin.drainListeners({ inboundOnly: false, skipExit: false });
  } catch (error) {
    if (!gone.aborted) {
      log.warn("replaced Envoy was not asked to drain", {
        generation: generation.number,
        reason: errorMessage(error),
      });
    }
  }
  // Until then it accepts connections, which would be cut.
  await sleep(drainDurationMs + pollMs, gone);
  while (!gone.aborted && performance.now() < end) {
    if ((await connectionsLeft(generation)) === 0) return;
    await sleep(pollMs, gone);
  }
}

/** Undefined when Envoy does not say: an error never shortens a drain. */
async function connectionsLeft({ admin, launch }: Generation): Promise<number | undefined> {
  try {
    const { ownPorts } = launch.options;
    const connections = workloadConnections(await admin.stats(connectionStats, 2_000), {
      ownPorts,
      outbound: new Set(),
    });
    return connections === undefined ? undefined : totalConnections(connections);
  } catch {
    return undefined;
  }
}
