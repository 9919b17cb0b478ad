/** Room on a machine that others use too, in milliseconds: only what hangs takes longer. */
const roomMs = 180_000;

/** How many times slower everything may be there. */
const slowdown = 10;

/**
 * How long to wait for what takes at most so many milliseconds on a machine of its own. A wait is for what is to come, and
 * makes no claim how fast it comes.
 */
export function patience(ms: number): number {
  return Math.max(ms, Math.min(slowdown * ms, roomMs));
}
