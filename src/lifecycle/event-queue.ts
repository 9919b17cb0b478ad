/**
 * Events of several sources, taken one at a time by one reader.
 */

/** A queue without a bound: for events that are few by nature, such as the end of a process. */
export class EventQueue<T> {
  readonly #events: T[] = [];
  #arrival = Promise.withResolvers<void>();

  push(event: T): void {
    this.#events.push(event);
    this.#arrival.resolve();
  }

  /** The oldest event; waits until there is one. */
  async next(): Promise<T> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return event;
      this.#arrival = Promise.withResolvers<void>();
      await this.#arrival.promise;
    }
  }
}
