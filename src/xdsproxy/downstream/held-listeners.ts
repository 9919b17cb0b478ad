/**
 * Listeners that are kept from a newcomer until it may take traffic.
 *
 * Envoy starts its workers when its first listeners have come, and asks for them only when its clusters are there:
 * what has to be proven before it serves is proven while it waits.
 */
import { aborted } from "../../lifecycle/sleep.ts";

/** One hold; disposing releases it. */
export class HeldListeners implements Disposable {
  readonly #released = Promise.withResolvers<void>();
  readonly #onRelease: () => void;
  /** Numbers of the newcomer's streams. */
  readonly streams: number[] = [];

  constructor(onRelease: () => void) {
    this.#onRelease = onRelease;
  }

  /** Let the listeners through. */
  release(): void {
    this.#onRelease();
    this.#released.resolve();
  }

  /** Resolves once they may pass, or when `ended` aborts. */
  async released(ended: AbortSignal): Promise<void> {
    await Promise.race([this.#released.promise, aborted(ended)]);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
