/**
 * What following a registry comes to, however it is asked: what it said last, how often it has failed and when it is asked again, and
 * whether it is believed that something is gone.
 */
import { isDeepStrictEqual } from "node:util";
import { type Backoff, backoffDelayMs } from "../../lifecycle/backoff.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { type Moment, thisMoment } from "../../lifecycle/moment.ts";
import { Watch } from "../../lifecycle/watch.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { SourceState } from "./source.ts";
import type { SourceHealth } from "./source-health.ts";

/** Which registry. */
export interface FollowedRegistry {
  /** As logs call it, such as Consul. */
  readonly title: string;
  /** As problems name it, such as `consul http://127.0.0.1:8500`. */
  readonly source: string;
  readonly url: string;
  readonly log: Logger;
}

/** A registry that is gone is asked again soon, and ever less often; all control planes at different times. */
export const registryBackoff: Backoff = { initialMs: 500, multiplier: 2, maxMs: 30_000, jitter: 0.3 };

/** How long a registry that has begun anew is not believed that something is gone, in milliseconds. */
const doubtMs = 60_000;

/** The same, as messages say it. */
export const doubted = `what it had is served for ${doubtMs / 1_000} s`;

/** Of one source, from its start to its end. */
export class RegistryProgress {
  readonly states: Watch<SourceState> = new Watch<SourceState>({ kind: "broken", problems: [] });
  readonly #registry: FollowedRegistry;
  /** In a row. */
  #failures = 0;
  #allFailures = 0;
  #answered: Moment | undefined;
  /** Index of what is served. */
  #taken = 0;
  /** Since when the registry counts by less. */
  #begunAnewMs: number | undefined;

  constructor(registry: FollowedRegistry) {
    this.#registry = registry;
  }

  /** Questions in a row without a usable answer. */
  get failures(): number {
    return this.#failures;
  }

  /** It has answered at some time. */
  get hasAnswered(): boolean {
    return this.#answered !== undefined;
  }

  readonly health = (): SourceHealth => ({
    isUp: this.#failures === 0,
    ageMs: this.#failures === 0 || this.#answered === undefined ? 0 : performance.now() - this.#answered.atMs,
    failures: this.#allFailures,
  });

  /** A usable answer has come. */
  answered(): void {
    this.#failures = 0;
    this.#answered = thisMoment();
  }

  /**
   * None has.
   *
   * @param toldFrom the failure in a row from which on it is told: one that is started anew is gone for a moment
   * @returns milliseconds until it is asked again
   */
  failed(error: unknown, toldFrom: number): number {
    this.#failures += 1;
    this.#allFailures += 1;
    this.#tell(errorMessage(error), toldFrom);
    return backoffDelayMs(registryBackoff, this.#failures - 1, Math.random());
  }

  /** What the registry had at this index is served from now on. */
  taken(index: number): void {
    this.#taken = index;
    this.#begunAnewMs = undefined;
  }

  /** True for a while after the registry counts by less than it did: it has lost what it knew, or went back to a snapshot. */
  isDoubted(index: number): boolean {
    if (index >= this.#taken) return false;
    this.#begunAnewMs ??= performance.now();
    return performance.now() - this.#begunAnewMs < doubtMs;
  }

  #tell(reason: string, toldFrom: number): void {
    const { title, source, url, log } = this.#registry;
    if (this.#failures < toldFrom) {
      log.debug(`${title} is asked again`, { url, reason });
      return;
    }
    const at = this.#answered?.at.toISOString();
    const kept = at === undefined ? "" : `. What it had at ${at} is served`;
    const problem = { source, line: 0, path: "", message: `${reason}${kept}` };
    const { current } = this.states;
    if (current.kind === "broken" && isDeepStrictEqual(current.problems, [problem])) return;
    this.states.set({ kind: "broken", problems: [problem] });
  }
}
