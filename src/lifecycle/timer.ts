/**
 * Timers of any length, the only user of Node's own.
 *
 * Node takes a delay above 2^31-1 ms (24.8 days) for one millisecond, and `AbortSignal.timeout` throws for what is
 * no whole number below 2^32: a long one is waited for in pieces here, and an endless one for ever.
 */

/** Longest delay that Node takes, in milliseconds. */
export const longestNodeTimerMs = 2_147_483_647;

/** How a timer is kept. */
export interface TimerOptions {
  /** Does not keep the process from ending. */
  readonly isBackground?: boolean;
}

/** Calls once, `ms` milliseconds after its making or its last `restart`, unless it is cancelled. */
export class Timer implements Disposable {
  readonly #ms: number;
  readonly #action: () => void;
  readonly #isBackground: boolean;
  #timeout: NodeJS.Timeout;

  /**
   * @param ms at most 0 is as soon as possible, Infinity is never
   * @throws RangeError when `ms` is no number
   */
  constructor(ms: number, action: () => void, { isBackground = false }: TimerOptions = {}) {
    if (Number.isNaN(ms)) throw new RangeError("a timer needs a number of milliseconds");
    this.#ms = ms;
    this.#action = action;
    this.#isBackground = isBackground;
    this.#timeout = this.#wait(ms);
  }

  /** Wait the whole time again, also after the call. */
  restart(): void {
    this.cancel();
    this.#timeout = this.#wait(this.#ms);
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  [Symbol.dispose](): void {
    this.cancel();
  }

  #wait(ms: number): NodeJS.Timeout {
    const timeout = setTimeout(
      () => {
        if (ms > longestNodeTimerMs) this.#timeout = this.#wait(ms - longestNodeTimerMs);
        else this.#action();
      },
      // Node warns of a negative one.
      Math.min(Math.max(0, ms), longestNodeTimerMs),
    );
    return this.#isBackground ? timeout.unref() : timeout;
  }
}

/** Call `action` every `ms` milliseconds, first after that time, until it is disposed. */
export function every(ms: number, action: () => void, options: TimerOptions = {}): Disposable {
  const timer = new Timer(
    ms,
    () => {
      timer.restart();
      action();
    },
    options,
  );
  return timer;
}

/** A signal that aborts with a `TimeoutError` after `ms` milliseconds; dispose it when what it limits is over. */
export class Deadline implements Disposable {
  readonly signal: AbortSignal;
  readonly #timer: Timer;

  constructor(ms: number) {
    const controller = new AbortController();
    this.signal = controller.signal;
    const abort = (): void => {
      controller.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
    };
    this.#timer = new Timer(ms, abort, { isBackground: true });
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }
}
