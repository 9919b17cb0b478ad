/**
 * The watchdog on the active Envoy.
 */
import { sleep } from "../../lifecycle/sleep.ts";
import { TickWait } from "../../lifecycle/tick.ts";
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import { isStopped } from "../../process/identity.ts";
import { AdminPulse } from "../admin/pulse.ts";
import type { Generation } from "../generation/generation.ts";
import type { SupervisionEvent } from "./event.ts";
import type { SupervisorOptions } from "./options.ts";
import { watchForHangs, type WatchTarget } from "./watchdog.ts";

/**
 * Watch until `signal` aborts.
 *
 * @param watched the Envoy that owes an answer; undefined while none does
 */
export async function watchActive(
  { supervision, childChanges, log }: Pick<SupervisorOptions, "supervision" | "childChanges" | "log">,
  watched: () => Generation | undefined,
  tell: (event: SupervisionEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  let pulse: AdminPulse | undefined;
  const pulseOf = ({ admin }: Generation): AdminPulse => {
    if (pulse?.socketPath === admin.socketPath) return pulse;
    pulse?.[Symbol.dispose]();
    pulse = new AdminPulse(admin.socketPath);
    return pulse;
  };
  const wait = new TickWait();
  await Promise.all([
    hastenAtChanges(childChanges, supervision.hang.intervalMs, wait, signal),
    watchForHangs(
      supervision.hang,
      () => watchTarget(watched(), pulseOf),
      {
        hung: (number, { isStopped: isAllStopped, reason }) => {
          tell({ kind: "hung", number, isStopped: isAllStopped, reason });
        },
        busy: (generation, isBusy) => {
          if (isBusy) log.warn("Envoy's main thread is busy and answers nothing", { generation });
          else log.info("Envoy's main thread answers again", { generation });
        },
      },
      signal,
      wait,
    ),
  ]);
  pulse?.[Symbol.dispose]();
}

/** A child that was stopped is a cause for a check, which there is none more of than where every check is a doubt. */
async function hastenAtChanges(
  childChanges: ReadonlyWatch<number>,
  intervalMs: number,
  wait: TickWait,
  signal: AbortSignal,
): Promise<void> {
  const atFirst = childChanges.current;
  for await (const count of childChanges.changes(signal)) {
    if (count === atFirst) continue;
    wait.hasten();
    await sleep(intervalMs, signal);
  }
}

function watchTarget(
  generation: Generation | undefined,
  pulseOf: (generation: Generation) => AdminPulse,
): WatchTarget | undefined {
  if (generation === undefined) return undefined;
  const { number, pid } = generation;
  return {
    id: number,
    answers: (timeoutMs) => pulseOf(generation).beats(timeoutMs),
    threads: () => ({
      cpuTicks: generation.mainThreadTicks,
      isStopped: pid !== undefined && isStopped(pid),
    }),
  };
}
