/**
 * Annotations of the pod that say which statistics Envoy keeps and how.
 *
 * What the inclusion annotations say replaces ProxyConfig's list of the same kind; extra tags are added to it.
 */
import type { Json } from "../../bootstrap/parameters.ts";
import { jsonValue } from "../../document/json.ts";
import { configurationLimits } from "../../document/limits.ts";
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";
import { parseDurationMs, protobufDuration } from "../../schema/duration.ts";
import { paths } from "../sources/paths.ts";
import type { ProxyConfig } from "../proxy-config/decode.ts";
import { describeDurationRange, type DurationRange, isDurationWithin } from "../../schema/range.ts";
import { isMapping } from "../../document/mapping.ts";

/** Decided. */
export interface StatsChoices {
  readonly flushInterval: string | null;
  readonly evictionInterval: string | null;
  readonly extraTags: readonly string[];
  readonly inclusion: Readonly<Record<"prefixes" | "suffixes" | "regexps", readonly string[]>>;
  readonly histogramBuckets: readonly Json[];
}

const prefix = "sidecar.istio.io/";

/** What Envoy takes between two flushes or evictions. */
const intervals: DurationRange = { leastMs: 1, mostMs: 300_000 };

/** Envoy's own, in milliseconds. */
const defaultFlushMs = 5_000;

/** Problems for values that cannot be used; an eviction interval that does not fit is left out with a warning. */
export function statsAnnotations(
  annotations: Readonly<Record<string, string>>,
  configured: ProxyConfig["proxyStatsMatcher"],
  addresses: readonly string[],
  problems: ConfigProblem[],
  warnings: string[],
): StatsChoices {
  const sourceOf = (name: string): string => `${paths.podAnnotations}: ${prefix}${name}`;
  const refuse = (name: string, message: string): undefined => {
    problems.push({ source: sourceOf(name), path: "", message });
    return undefined;
  };
  const list = (name: string): readonly string[] | undefined => {
    const text = annotations[`${prefix}${name}`];
    return text === undefined || text.trim() === ""
      ? undefined
      : text
          .split(",")
          .map((item) => item.trim())
          .filter((item) => item !== "");
  };
  const interval = (name: string): number | undefined => {
    const text = annotations[`${prefix}${name}`];
    if (text === undefined || text === "") return undefined;
    const ms = parseDurationMs(text);
    if (ms !== undefined && isDurationWithin(ms, intervals)) return ms;
    return refuse(name, `${shown(text)} is not ${describeDurationRange(intervals)}`);
  };
  const flushMs = interval("statsFlushInterval");
  const evictionMs = interval("statsEvictionInterval");
  const evicts =
    evictionMs !== undefined && evictionMs % (flushMs ?? defaultFlushMs) === 0 && evictionMs % 1_000 === 0;
  if (evictionMs !== undefined && !evicts) {
    warnings.push(
      `${sourceOf("statsEvictionInterval")}: is not a multiple of the flush interval in whole seconds; ignored`,
    );
  }
  const expand = (values: readonly string[]): readonly string[] =>
    values.flatMap((value) =>
      value.includes("{pod_ip}") ? addresses.map((ip) => value.replaceAll("{pod_ip}", ip)) : [value],
    );
  return {
    flushInterval: flushMs === undefined ? null : protobufDuration(flushMs),
    evictionInterval: evicts ? protobufDuration(evictionMs) : null,
    extraTags: list("extraStatTags") ?? [],
    inclusion: {
      prefixes: expand(list("statsInclusionPrefixes") ?? configured?.inclusionPrefixes ?? []),
      suffixes: expand(list("statsInclusionSuffixes") ?? configured?.inclusionSuffixes ?? []),
      regexps: expand(list("statsInclusionRegexps") ?? configured?.inclusionRegexps ?? []),
    },
    histogramBuckets: histogramBuckets(annotations[`${prefix}statsHistogramBuckets`], (message) =>
      refuse("statsHistogramBuckets", message),
    ),
  };
}

function histogramBuckets(text: string | undefined, refuse: (message: string) => undefined): readonly Json[] {
  if (text === undefined || text === "") return [];
  const value = jsonValue(text, configurationLimits);
  const isBuckets = (buckets: unknown): boolean =>
    Array.isArray(buckets) &&
    buckets.length > 0 &&
    buckets.every(
      (bucket, index) => Number.isFinite(bucket) && bucket > (index === 0 ? 0 : buckets[index - 1]),
    );
  if (!isMapping(value) || !Object.values(value).every(isBuckets)) {
    refuse('is not JSON such as {"istiocustom": [1, 5, 50]} with rising numbers above 0');
    return [];
  }
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, buckets]) => ({ match: { prefix: name }, buckets: buckets as Json }));
}
