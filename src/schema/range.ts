/**
 * Bounds of numbers and durations that come from outside, and how a value beyond them is refused: one wording, so
 * that whoever reads a problem knows what would be taken.
 */

/** Whole or broken numbers, both ends included. */
export interface NumberRange {
  readonly least: number;
  readonly most: number;
  /** What the number is: "port". */
  readonly noun?: string;
}

/** In milliseconds, both ends included. */
export interface DurationRange {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** 292 years: the longest that Go, and with it Istio's agent, can hold (package time, "Duration"). */
export const longestDurationMs = 9_223_372_036_854;

/** The longest that Envoy's command line takes in seconds, and in milliseconds: each is a uint32. */
export const longestUint32SecondsMs = 4_294_967_295_000;
export const longestUint32Ms = 4_294_967_295;

/** Every length of time. */
export const anyDuration: DurationRange = { leastMs: 0, mostMs: longestDurationMs };

/** A length of time that is none is no use. */
export const someDuration: DurationRange = { leastMs: 1, mostMs: longestDurationMs };

/** TCP ports, and 0 where that means none. */
export const ports: NumberRange = { least: 1, most: 65_535, noun: "port" };
export const portsOrNone: NumberRange = { least: 0, most: 65_535, noun: "port" };

/** How long a wait may be that a timer of Node.js stands behind, in seconds and in milliseconds. */
export const timerSeconds: NumberRange = { least: 0, most: 2_147_483 };
export const timerMs: NumberRange = { least: 0, most: 2_147_483_647 };

/** How often something may happen. */
export const counts: NumberRange = { least: 0, most: 2_147_483_647 };

/** The same of what must happen. */
export const positiveCounts: NumberRange = { least: 1, most: 2_147_483_647 };

/** Worker threads of Envoy; no Linux has more CPUs (NR_CPUS). */
export const workers: NumberRange = { least: 0, most: 8_192 };

/** True for a number inside. */
export function isWithin(value: number, { least, most }: NumberRange): boolean {
  return value >= least && value <= most;
}

/** True for a duration inside, in milliseconds. */
export function isDurationWithin(ms: number, { leastMs, mostMs }: DurationRange): boolean {
  return ms >= leastMs && ms <= mostMs;
}

/** "a port from 1 to 65535", to stand after "is not". */
export function describeRange({ least, most, noun }: NumberRange): string {
  return `${noun === undefined ? "" : `a ${noun} `}from ${least} to ${most}`;
}

/** "a duration from 1s to 2562047h47m16.854s", to stand after "is not". */
export function describeDurationRange({ leastMs, mostMs }: DurationRange): string {
  const most = mostMs >= longestDurationMs ? "292 years" : goDuration(mostMs);
  return `a duration from ${goDuration(leastMs)} to ${most}, such as 45s`;
}

/** What the value would have to be, to stand after "is not"; undefined when it is. Durations are in milliseconds. */
export function outOfRange(value: number, range: NumberRange | DurationRange): string | undefined {
  if ("leastMs" in range) return isDurationWithin(value, range) ? undefined : describeDurationRange(range);
  return isWithin(value, range) ? undefined : describeRange(range);
}

const units = [
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
  ["us", 0.001],
] as const;

/** In the largest unit that says it whole: `45s`, `90m`, `1ms`. */
export function goDuration(ms: number): string {
  if (ms === 0) return "0s";
  const [unit, size] = units.find(([, length]) => ms >= length && ms % length === 0) ?? ["ms", 1];
  return `${ms / size}${unit}`;
}
