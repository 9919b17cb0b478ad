/**
 * Keeps one Envoy serving: starts it again when it dies, replaces it when it hangs, swaps it when its configuration
 * changes, and drains it on a stop.
 *
 * What is decided is in `transition.ts`, and how it is carried out in `runner.ts`. This is what others see of it.
 */
import { EnvoyAdmin } from "../admin/admin.ts";
import type { Generation } from "../generation/generation.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import { generationPaths } from "../generation/layout.ts";
import type { EnvoyReadiness } from "../admin/readiness.ts";
import { hasRefusedHandshakes } from "../admin/tls-failures.ts";
import type { SupervisorOptions } from "./options.ts";
import type { SupervisionReport } from "./report.ts";
import { Runner, type StopRequests } from "./runner.ts";
import { askWhetherServing } from "./serving.ts";
import type { SupervisionEnd } from "./shown.ts";
import { activeOf, adminHolderOf, hotChildOf } from "./state.ts";
import type { SwapReport } from "./swap-request.ts";

/** Runs generations of Envoy. */
export class EnvoySupervisor {
  readonly #options: SupervisorOptions;
  readonly #runner: Runner;
  #lastAdmin: EnvoyAdmin;

  /** Nothing is started before `run`. */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#runner = new Runner(options);
    this.#lastAdmin = new EnvoyAdmin(generationPaths(options.launch.options.configPath, 1).adminSocket);
  }

  /**
   * Supervise until a stop is asked for and Envoy is drained, or until the restart budget is spent. Envoy is started
   * before this returns its promise, which resolves only once every Envoy is gone.
   *
   * @throws the system error when the first bootstrap cannot be written
   */
  run(requests: StopRequests): Promise<SupervisionEnd> {
    return this.#runner.run(requests);
  }

  /** Counts and state, for whoever shows them. */
  get report(): SupervisionReport {
    return this.#runner.report;
  }

  /** Admin interface of the Envoy that has one: the active generation, or the newcomer that takes over from it. */
  get admin(): EnvoyAdmin {
    const holder = adminHolderOf(this.#runner.state);
    const generation = holder === undefined ? undefined : this.#runner.generation(holder.number);
    if (generation !== undefined) this.#lastAdmin = generation.admin;
    return this.#lastAdmin;
  }

  /** The Envoy that serves or is to serve; undefined while there is none. */
  get active(): Generation | undefined {
    const active = activeOf(this.#runner.state);
    return active === undefined ? undefined : this.#runner.generation(active.number);
  }

  /** Why a swap that was asked for has not begun; undefined when none waits. */
  get swapWaitsFor(): string | undefined {
    return this.#runner.state.waitingFor;
  }

  /** The newest configuration that failed while an older one serves; undefined when there is none. */
  get refused(): string | undefined {
    return this.#runner.state.refused?.reason;
  }

  /**
   * Ask for another Envoy. Resolves when it serves, or when it is clear that it will not.
   *
   * @param isForced also when the same launch has failed before
   */
  swap(launch: PreparedLaunch, trigger: string, isForced = false): Promise<SwapReport> {
    return this.#runner.swap(launch, trigger, isForced);
  }

  /** Whether Envoy serves, and if not, why. */
  readiness(): Promise<EnvoyReadiness> {
    const { state } = this.#runner;
    const hasAdmin = hotChildOf(state) === undefined;
    return askWhetherServing(state.shown, activeOf(state), this.active, hasAdmin);
  }

  /**
   * Whether the active Envoy has refused a peer's handshake since it started; undefined when it does not answer. It is
   * asked together with its readiness, so that a look at both costs one question.
   */
  async hasRefusedHandshakes(): Promise<boolean | undefined> {
    const answer = await this.active?.readinessAnswer.get();
    return answer?.kind === "answered" ? hasRefusedHandshakes(answer.value) : undefined;
  }

  /** Drain and keep the process: a later stop then ends it at once (Istio's POST /drain). */
  async drainOnRequest(): Promise<void> {
    const { active } = this;
    const { options } = active?.launch ?? this.#options.launch;
    await this.admin.drainListeners({ inboundOnly: options.drainInboundOnly, skipExit: true });
    if (active !== undefined) this.#tellDrained(active, "POST /drain", true);
  }

  /** Somebody has drained the active Envoy's listeners: no swap brings them back. */
  noteDrain(how: string): void {
    if (this.active !== undefined) this.#tellDrained(this.active, how, false);
  }

  #tellDrained({ number }: Generation, how: string, isWhole: boolean): void {
    this.#runner.tell({ kind: "drained-on-request", number, how, isWhole });
  }

  /** Have Envoy open its log files again. One that is still starting has none to close. */
  async reopenLogs(): Promise<void> {
    if (activeOf(this.#runner.state)?.provenAt !== undefined) await this.admin.reopenLogs();
  }
}
