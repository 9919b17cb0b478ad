/**
 * Durations in Go's notation (`5s`, `1h30m`, `100ms`), as Istio writes them everywhere.
 */
const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  // Go takes the Greek letter as well as the micro sign.
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds, or undefined when `text` is not a duration. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|[µμ]s|ms|s|m|h))+|0)$/.exec(text);
  if (match === null) return undefined;
  let total = 0;
  for (const [, number = "", unit = ""] of (match[2] ?? "").matchAll(
    /(\d+(?:\.\d*)?|\.\d+)(ns|us|[µμ]s|ms|s|m|h)/g,
  )) {
    total += Number(number) * (unitMs[unit] ?? 0);
  }
  return match[1] === "-" ? -total : total;
}

/** As protobuf's JSON and Envoy write durations: seconds, whatever their size. */
export function protobufDuration(ms: number): string {
  return `${(ms / 1_000).toFixed(9).replace(/\.?0+$/, "")}s`;
}
