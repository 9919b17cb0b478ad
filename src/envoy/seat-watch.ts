/**
 * The watchdog on the active Envoy.
 */
import { isStopped } from "../process/identity.ts";
import { AdminPulse } from "./admin-pulse.ts";
import type { Generation } from "./generation/generation.ts";
import type { Seat } from "./seat.ts";
import type { SupervisionEvent } from "./supervision-event.ts";
import type { SupervisorOptions } from "./supervisor-options.ts";
import { watchForHangs, type WatchTarget } from "./watchdog.ts";

/**
 * Watch until `signal` aborts.
 *
 * @param active the Envoy that has the admin interface; undefined while a newcomer takes it over
 */
export async function watchSeats(
  { supervision, log }: Pick<SupervisorOptions, "supervision" | "log">,
  active: () => Seat | undefined,
  push: (event: SupervisionEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  let pulse: AdminPulse | undefined;
  const pulseOf = ({ admin }: Generation): AdminPulse => {
    if (pulse?.socketPath === admin.socketPath) return pulse;
    pulse?.[Symbol.dispose]();
    pulse = new AdminPulse(admin.socketPath);
    return pulse;
  };
  await watchForHangs(
    supervision.hang,
    () => watchTarget(active(), pulseOf),
    {
      hung: (id, verdict) => {
        const seat = active();
        if (seat?.generation.number === id) {
          push({ kind: "hung", seat, isStopped: verdict.isStopped, reason: verdict.reason });
        }
      },
      busy: (generation, isBusy) => {
        if (isBusy) log.warn("Envoy's main thread is busy and answers nothing", { generation });
        else log.info("Envoy's main thread answers again", { generation });
      },
    },
    signal,
  );
  pulse?.[Symbol.dispose]();
}

/** Undefined for an Envoy that has lost its admin interface or is on its way out. */
function watchTarget(
  active: Seat | undefined,
  pulseOf: (generation: Generation) => AdminPulse,
): WatchTarget | undefined {
  if (active === undefined || active.isBlind || active.asked !== undefined) return undefined;
  const { generation } = active;
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
