/**
 * Starts an Envoy that cannot be started for reasons that are not its own: a config path that is full or read-only,
 * no descriptor or process to spare. The agent says why and tries again until it can, or is to stop.
 */
import { type Backoff, backoffDelayMs } from "../lifecycle/backoff.ts";
import type { ChildExit } from "../process/child.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import type { Logger } from "../telemetry/log.ts";
import type { PreparedLaunch } from "./generation/launch.ts";
import type { Seat } from "./seat.ts";
import type { SupervisionReport } from "./supervision-report.ts";
import type { SwapRequest } from "./swap/swap-requests.ts";

/** What it works with. */
export interface PatientStartParts {
  readonly log: Logger;
  /** Start it now. @throws when its files cannot be written */
  readonly begin: (launch: PreparedLaunch, trial: SwapRequest | undefined) => void;
  readonly report: SupervisionReport;
  readonly later: (ms: number, action: () => void) => void;
  /** False once another Envoy was started, or none is wanted any more. */
  readonly isWanted: () => boolean;
}

const backoff: Backoff = { initialMs: 200, multiplier: 2, maxMs: 5_000, jitter: 0.2 };

const remedy = "make configPath writable and make room in it; raise the limit of open files or processes";

/** One Envoy at a time. */
export class PatientStart {
  readonly #parts: PatientStartParts;
  #failures = 0;

  constructor(parts: PatientStartParts) {
    this.#parts = parts;
  }

  /** Start it now, or as soon as it can be. */
  start(launch: PreparedLaunch, trial?: SwapRequest): void {
    try {
      this.#parts.begin(launch, trial);
    } catch (error) {
      this.#retry(launch, errorMessage(error), trial);
    }
  }

  /** The same after a delay, unless it is not wanted any more by then. */
  startAfter(delayMs: number, launch: PreparedLaunch, trial?: SwapRequest): void {
    if (delayMs === 0) this.start(launch, trial);
    else
      this.#parts.later(delayMs, () => {
        if (this.#parts.isWanted()) this.start(launch, trial);
      });
  }

  /** True when the end of `seat` is no death but a start that failed for such a reason: it is tried again. */
  takesOn({ generation, trial }: Seat, exit: ChildExit): boolean {
    const obstacle = passingObstacle(exit);
    if (obstacle !== undefined) this.#retry(generation.launch, obstacle, trial);
    return obstacle !== undefined;
  }

  #retry(launch: PreparedLaunch, reason: string, trial: SwapRequest | undefined): void {
    const { log, report } = this.#parts;
    const delayMs = backoffDelayMs(backoff, this.#failures, Math.random());
    this.#failures += 1;
    const fields = { reason, remedy, delayMs };
    if (this.#failures === 1) log.error("Envoy cannot be started, trying again until it can", fields);
    else log.debug("Envoy still cannot be started", fields);
    report.startFailed();
    report.state.set({ kind: "restarting", reason: `cannot be started: ${reason}`, delayMs });
    this.startAfter(delayMs, launch, trial);
  }

  /** An Envoy runs. */
  succeeded(): void {
    if (this.#failures > 0)
      this.#parts.log.info("Envoy could be started again", { failures: this.#failures });
    this.#failures = 0;
  }
}

/** Why a process was not started for want of something that may come back; undefined for any other end. */
export function passingObstacle(exit: ChildExit): string | undefined {
  if (exit.kind !== "not-started") return undefined;
  return /\b(?:EMFILE|ENFILE|EAGAIN|ENOMEM)\b/.test(exit.message) ? exit.message : undefined;
}
