/** What many measurements say together. */

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
}

export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  const lower = sorted.at(-middle - 1) ?? Number.NaN;
  return {
    median: (upper + lower) / 2,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
    runs: sorted.length,
  };
}

/** "12 ms (3–40)": median, least and most, rounded. */
export function describeSpread(values: readonly number[], unit = "ms"): string {
  const { median, min, max } = summarize(values);
  return `${Math.round(median)} ${unit} (${Math.round(min)}–${Math.round(max)})`;
}
