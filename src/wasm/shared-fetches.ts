/**
 * Work that several ask for is done once, and stopped when the last of them has lost interest.
 */
interface Work<T> {
  readonly result: Promise<T>;
  readonly stop: AbortController;
  waiters: number;
}

/** Fetches under way, by what they fetch; only so many at once. */
export class SharedFetches<T> {
  readonly #work = new Map<string, Work<T>>();
  readonly #most: number;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  /** @param most fetches at once */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * The result of `fetch` under this key, which may be under way.
   *
   * @throws what `fetch` throws, or the signal's reason
   */
  async get(key: string, fetch: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const work = this.#work.get(key) ?? this.#start(key, fetch);
    work.waiters += 1;
    const stopped = Promise.withResolvers<void>();
    const onAbort = (): void => {
      stopped.resolve();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([work.result, stopped.promise]);
      signal.throwIfAborted();
      return await work.result;
    } finally {
      signal.removeEventListener("abort", onAbort);
      work.waiters -= 1;
      if (work.waiters === 0) {
        work.stop.abort();
        // Whoever comes now must not get what was stopped.
        if (this.#work.get(key) === work) this.#work.delete(key);
      }
    }
  }

  #start(key: string, fetch: (signal: AbortSignal) => Promise<T>): Work<T> {
    const stop = new AbortController();
    const work: Work<T> = { result: this.#inTurn(fetch, stop.signal), stop, waiters: 0 };
    // It is awaited above, or nobody is interested any more.
    work.result.catch(() => undefined);
    this.#work.set(key, work);
    return work;
  }

  async #inTurn(fetch: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#running >= this.#most) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#running += 1;
    try {
      signal.throwIfAborted();
      return await fetch(signal);
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
