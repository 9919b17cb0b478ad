/**
 * How many scrapes are at work at once: each holds buffers, and has Envoy's main thread write everything it knows.
 *
 * One whose scraper does not read makes room for the next, so that nobody keeps Prometheus out by being slow.
 */

/** A scrape at work. */
export interface Slot {
  /** When its scraper was last given something that it has not taken yet, by the monotonic clock; undefined while it is not waited for. */
  waitsSince: number | undefined;
  readonly end: () => void;
}

/** How long a scraper may keep its scrape waiting when another wants its place, in milliseconds. */
const patienceMs = 250;

/** The places. */
export class Slots {
  readonly #most: number;
  readonly #taken = new Set<Slot>();

  constructor(most: number) {
    this.#most = most;
  }

  /** False when there is no place. @param now by the monotonic clock */
  take(slot: Slot, now: number): boolean {
    if (this.#taken.size >= this.#most) {
      const [slowest] = [...this.#taken].toSorted((one, other) => waitOf(other, now) - waitOf(one, now));
      if (slowest === undefined || waitOf(slowest, now) < patienceMs) return false;
      this.#taken.delete(slowest);
      slowest.end();
    }
    this.#taken.add(slot);
    return true;
  }

  leave(slot: Slot): void {
    this.#taken.delete(slot);
  }
}

function waitOf({ waitsSince }: Slot, now: number): number {
  return waitsSince === undefined ? 0 : now - waitsSince;
}
