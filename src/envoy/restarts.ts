/**
 * What follows from a death of the active Envoy: a start at once, a later one, or the end.
 */
import type { ExitDiagnosis } from "./exits/exit-diagnosis.ts";
import type { LaunchMemory } from "./generation/launch-memory.ts";
import type { PreparedLaunch } from "./generation/launch.ts";
import { type Death, deathsThatCount, decideRestart } from "./restart-policy.ts";
import type { Seat } from "./seat.ts";
import type { SupervisionEnd } from "./state.ts";
import type { SupervisionReport } from "./supervision-report.ts";
import type { SupervisorOptions } from "./supervisor-options.ts";

/** What the supervisor is to do. */
export type RestartPlan =
  | { readonly kind: "start"; readonly launch: PreparedLaunch; readonly delayMs: number }
  | { readonly kind: "give-up"; readonly end: SupervisionEnd };

/** Keeps the account of deaths. */
export class Restarts {
  readonly #options: SupervisorOptions;
  readonly #memory: LaunchMemory;
  readonly #report: SupervisionReport;
  #deaths: readonly Death[] = [];
  #deathsSinceProof = 0;

  constructor(options: SupervisorOptions, memory: LaunchMemory, report: SupervisionReport) {
    this.#options = options;
    this.#memory = memory;
    this.#report = report;
  }

  /** A good bootstrap is being started again and has not failed more than once. */
  get isRecovering(): boolean {
    return this.#memory.lastGood !== undefined && this.#deathsSinceProof < 2;
  }

  /** An Envoy is proven to serve. */
  proven(): void {
    this.#deathsSinceProof = 0;
  }

  /** Decide about a death, and say so. */
  afterDeath(seat: Seat, diagnosis: ExitDiagnosis): RestartPlan {
    const { generation } = seat;
    const { log, supervision } = this.#options;
    const launch = this.#memory.afterDeath(generation.launch, diagnosis);
    // It failed its trial: the one before it is not to blame.
    if (seat.asked === "aborted") return { kind: "start", launch, delayMs: 0 };
    this.#deathsSinceProof += 1;
    const now = performance.now();
    const death = {
      at: now,
      servedMs: seat.provenAt === undefined ? undefined : now - seat.provenAt,
      launch: generation.launch.fingerprint,
    };
    this.#deaths = deathsThatCount(supervision.restart, [...this.#deaths, death]);
    const decision = decideRestart(supervision.restart, this.#deaths, launch.fingerprint, Math.random());
    const fields = {
      reason: diagnosis.message,
      cause: diagnosis.reason,
      field: diagnosis.field,
      remedy: diagnosis.remedy,
      generation: generation.number,
      uptimeMs: generation.ageMs,
    };
    if (decision.kind === "give-up") {
      log.error("Envoy keeps dying, giving up", { ...fields, restarts: this.#report.restarts });
      return {
        kind: "give-up",
        end: { kind: "gave-up", exitCode: diagnosis.exitCode, reason: diagnosis.message },
      };
    }
    log.error("Envoy died, restarting it", { ...fields, delayMs: decision.delayMs });
    this.#report.restarted();
    return { kind: "start", launch, delayMs: decision.delayMs };
  }
}
