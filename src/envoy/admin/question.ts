/**
 * A question to an Envoy's admin interface, and what its silence means.
 *
 * The main thread answers it, and the main thread takes in configuration as well: over a cluster of hundreds of
 * megabytes it is silent for minutes and neither hung nor without workers that serve. It uses CPU time then.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";

/** What came of it. */
export type AdminAnswer<T> =
  | { readonly kind: "answered"; readonly value: T }
  /** Nothing came, and the main thread worked; `forMs` is the age of its silence. */
  | { readonly kind: "busy"; readonly forMs: number }
  | { readonly kind: "silent"; readonly reason: string };

/** Since when an Envoy has not answered. */
export class AdminQuestions {
  readonly #cpuTicks: () => number | undefined;
  readonly #now: () => number;
  #silentSince: number | undefined;

  /**
   * @param cpuTicks CPU time of its main thread in clock ticks; undefined when it is gone
   * @param now the monotonic clock, in milliseconds
   */
  constructor(cpuTicks: () => number | undefined, now: () => number = () => performance.now()) {
    this.#cpuTicks = cpuTicks;
    this.#now = now;
  }

  /** Ask. @param question has a deadline and rejects when it passes */
  async ask<T>(question: () => Promise<T>): Promise<AdminAnswer<T>> {
    const askedAt = this.#now();
    const before = this.#cpuTicks();
    try {
      const value = await question();
      this.#silentSince = undefined;
      return { kind: "answered", value };
    } catch (error) {
      const after = this.#cpuTicks();
      const worked = before !== undefined && after !== undefined && after > before;
      // Who refuses a question has answered it, or is not there.
      const isSilence = this.#now() - askedAt >= leastSilenceMs;
      if (!worked || !isSilence) return { kind: "silent", reason: errorMessage(error) };
      this.#silentSince ??= askedAt;
      return { kind: "busy", forMs: this.#now() - this.#silentSince };
    }
  }
}

/** A question that fails sooner was not left unanswered, in milliseconds. */
const leastSilenceMs = 500;

/** That it is busy, in words, with the age of its silence. */
export function describeBusy(forMs: number): string {
  return `Envoy is busy: its main thread works and has answered nothing for ${Math.round(forMs / 1_000)} s`;
}
