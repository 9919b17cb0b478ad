/**
 * Gives memory back while much passes.
 *
 * Node.js reads into a new buffer each time, which is of no use once it was passed on. V8 looks for what is of no use when small
 * objects have filled their space, and a buffer of 64 KiB is one small object: hundreds of them would wait.
 */
import { collector } from "./collector.ts";

/** Bytes after which a look is worth its time, half a millisecond. */
const everyBytes = 1_048_576;

/** For streams that pass at the same time. */
export class StreamRelease {
  readonly #collect: () => void;
  #bytes = 0;

  /** @param collect collects young objects; V8's own unless given */
  constructor(collect: () => void = collector("young")) {
    this.#collect = collect;
  }

  /** So many bytes have passed. */
  passed(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < everyBytes) return;
    this.#bytes = 0;
    this.#collect();
  }
}
