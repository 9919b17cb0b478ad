/**
 * The watchdog on the active Envoy.
 */
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
  { supervision, log }: Pick<SupervisorOptions, "supervision" | "log">,
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
  await watchForHangs(
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
  );
  pulse?.[Symbol.dispose]();
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
