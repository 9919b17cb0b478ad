/** Median, least and most of some figures. */

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** "12 ms (3–40)". */
  readonly text: string;
}

export function spread(values: readonly number[], unit = "ms"): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [median = Number.NaN, least = Number.NaN, most = Number.NaN] = [
    sorted[Math.floor(sorted.length / 2)],
    sorted[0],
    sorted.at(-1),
  ];
  return { median, least, most, text: `${median} ${unit} (${least}–${most})` };
}
