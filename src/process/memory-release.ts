/**
 * Gives memory back after a burst.
 *
 * A process that rests allocates nothing, so that V8 sees no reason to collect: the buffers of a large
 * configuration would stay until the next one comes.
 */
import { Timer } from "../lifecycle/timer.ts";
import { collector } from "./collector.ts";

/** Bytes after which a collection is worth its time, some milliseconds. */
const worthBytes = 4_194_304;

/** How long it must be quiet, in milliseconds. */
const quietMs = 1_000;

/** Collects once after each burst; disposing stops it. */
export class MemoryRelease implements Disposable {
  readonly #collect: () => void;
  #bytes = 0;
  #timer: Timer | undefined;

  /** @param collect runs a full collection; V8's own unless given */
  constructor(collect: () => void = collector()) {
    this.#collect = collect;
  }

  /** So many bytes have passed. */
  passed(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < worthBytes) return;
    if (this.#timer !== undefined) {
      this.#timer.restart();
      return;
    }
    const collect = (): void => {
      this.#timer = undefined;
      this.#bytes = 0;
      this.#collect();
    };
    this.#timer = new Timer(quietMs, collect, { isBackground: true });
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }
}
