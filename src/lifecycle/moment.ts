/**
 * A moment by both clocks. How long ago it is goes by the monotonic one, which nobody sets.
 */
import { toleratedMs } from "./wall-clock.ts";

/** When something happened. */
export interface Moment {
  /** By the wall clock as it was set then, for people. */
  readonly at: Date;
  /** On the monotonic clock, in milliseconds. */
  readonly atMs: number;
}

/** Now. */
export function thisMoment(): Moment {
  return { at: new Date(), atMs: performance.now() };
}

/**
 * When it was by the wall clock as it is set now, so that the difference is how long ago it is: the time that was noted,
 * unless the clock was set since.
 */
export function timeOf({ at, atMs }: Moment, now: Moment): Date {
  const time = now.at.getTime() - (now.atMs - atMs);
  return Math.abs(time - at.getTime()) <= toleratedMs ? at : new Date(time);
}
