/**
 * Connections that have just come to a server, for work that is to give way to them.
 *
 * The event loop takes one connection of those that wait in each of its turns (libuv since 1.45, `uv__server_io`). Where
 * turns are long, whoever comes behind a thousand others waits for a thousand of them: seconds, on a busy machine.
 */

/** Turns that work gives way for at most: with a turn of its own in between, nobody stops it by coming for ever. */
const mostTurns = 1_024;

/** Of one server. */
export class Arrivals {
  #count = 0;

  /** A connection has come. */
  arrived(): void {
    this.#count += 1;
  }

  /** Resolves after the first turn of the event loop in which no connection has come. */
  async giveWay(): Promise<void> {
    for (let turns = 0; turns < mostTurns; turns += 1) {
      const before = this.#count;
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      if (this.#count === before) return;
    }
  }
}
