/** What a busy machine does to a process. */

/** The event loop does nothing for `ms`. */
export function holdUp(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
