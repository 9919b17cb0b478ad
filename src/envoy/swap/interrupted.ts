/**
 * A swap that is interrupted: what becomes of the newcomer.
 *
 * By hot restart a newcomer takes the old Envoy's admin interface as soon as it starts, and the listeners only when it
 * is LIVE: one that is killed in between leaves an Envoy behind that cannot be told to drain and whose connections
 * nobody can count. A newcomer that becomes LIVE drains its parent itself, and can be drained.
 */
import { Timer } from "../../lifecycle/timer.ts";
import type { SwapMode } from "./swap-mode.ts";

/** How long a stop waits for a newcomer to become LIVE, in milliseconds: most need a tenth of it. */
const stopPatienceMs = 3_000;

/** How a swap is asked to end. */
export interface Interruptions {
  /** The agent is to stop; undefined for as long as nobody has asked for it. */
  readonly stopForMs: number | undefined;
  /** There is nothing to wait for: the old Envoy is gone, or whoever asked to stop wants it at once. */
  readonly isCut: boolean;
}

/** Where the newcomer stands. */
export interface NewcomerMoment extends Interruptions {
  readonly mode: Exclude<SwapMode, "cold">;
  /** From then on it has the listeners, where it takes them over. */
  readonly isLive: boolean;
}

/** What follows. */
export type NewcomerStep =
  /** The swap goes on; for so many milliseconds at most, where that is bounded. */
  | { readonly kind: "go-on"; readonly forMs: number | undefined }
  /** It is the one that serves, proven or not. */
  | { readonly kind: "take-over" }
  /** The old one serves on. */
  | { readonly kind: "abandon" };

/** Decide. */
export function nextNewcomerStep({ mode, isLive, stopForMs, isCut }: NewcomerMoment): NewcomerStep {
  if (stopForMs === undefined && !isCut) return { kind: "go-on", forMs: undefined };
  if (mode === "overlap") return { kind: "abandon" };
  if (isLive) return { kind: "take-over" };
  const leftMs = stopPatienceMs - (stopForMs ?? stopPatienceMs);
  return isCut || leftMs <= 0 ? { kind: "abandon" } : { kind: "go-on", forMs: leftMs };
}

/** Who interrupts a swap. */
export interface SwapInterrupts {
  /** The agent is to stop. */
  readonly stop: AbortSignal;
  /** End it at once. */
  readonly cut: AbortSignal;
}

/** Watches one newcomer: `over` aborts when its swap is not to go on. */
export class NewcomerWatch implements Disposable {
  readonly #mode: NewcomerMoment["mode"];
  readonly #interrupts: SwapInterrupts;
  readonly #over = new AbortController();
  readonly #disposed = new AbortController();
  #stopAt: number | undefined;
  #isLive = false;
  #isOldOneGone = false;
  #timer: Timer | undefined;

  constructor(mode: NewcomerMoment["mode"], interrupts: SwapInterrupts, oldOneGone: Promise<unknown>) {
    this.#mode = mode;
    this.#interrupts = interrupts;
    const options = { once: true, signal: this.#disposed.signal };
    for (const signal of [interrupts.stop, interrupts.cut]) {
      signal.addEventListener("abort", this.#look.bind(this), options);
    }
    void oldOneGone.then(() => {
      this.#isOldOneGone = true;
      this.#look();
    });
    this.#look();
  }

  /** Aborts when the swap is not to go on. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** The newcomer is LIVE. */
  live(): void {
    this.#isLive = true;
    this.#look();
  }

  #look(): void {
    if (this.#disposed.signal.aborted) return;
    const { stop, cut } = this.#interrupts;
    if (stop.aborted) this.#stopAt ??= performance.now();
    const stopForMs = this.#stopAt === undefined ? undefined : performance.now() - this.#stopAt;
    const isCut = cut.aborted || (this.#isOldOneGone && stop.aborted);
    const step = nextNewcomerStep({ mode: this.#mode, isLive: this.#isLive, stopForMs, isCut });
    this.#timer?.cancel();
    if (step.kind !== "go-on") this.#over.abort();
    else if (step.forMs !== undefined) this.#timer = new Timer(Math.ceil(step.forMs), this.#look.bind(this));
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#disposed.abort();
  }
}
