/** Which format and encoding are spoken with the scraper and with sources (RFC 9110, 12.5; OpenMetrics 1.0). */
import type { Format } from "./family.ts";

/** What a scraper takes. Text is always taken: there must be an answer. */
export interface Wanted {
  /** OpenMetrics' version, where the scraper likes it as well as text, or better. */
  readonly openMetrics: "1.0.0" | "0.0.1" | undefined;
  readonly encoding: Encoding | undefined;
}

/** How the answer may be compressed, the better one first. */
export type Encoding = (typeof encodings)[number];
const encodings = ["zstd", "gzip"] as const;

const openMetricsType = "application/openmetrics-text";

/** Headers of a scraper, as one text each. */
export function readWanted(accept: string | undefined, acceptEncoding: string | undefined): Wanted {
  return {
    openMetrics: openMetricsVersion(readList(accept)),
    encoding: bestEncoding(readList(acceptEncoding)),
  };
}

/** `Accept` of a request to an application. */
export function acceptOf({ openMetrics }: Wanted): string {
  const text = "text/plain;version=0.0.4";
  return openMetrics === undefined ? text : `${openMetricsType};version=${openMetrics};q=0.9,${text};q=0.5`;
}

/** What a source answers with; undefined for what cannot be merged. */
export function formatOf(contentType: string | undefined): Format | undefined {
  const type = (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (type === openMetricsType) return "openmetrics";
  return type === "application/vnd.google.protobuf" ? undefined : "text";
}

export function contentTypeOf(format: Format, { openMetrics = "1.0.0" }: Wanted): string {
  return format === "text"
    ? "text/plain; version=0.0.4; charset=utf-8"
    : `${openMetricsType}; version=${openMetrics}; charset=utf-8`;
}

interface Entry {
  readonly value: string;
  readonly version: string | undefined;
  readonly q: number;
}

/** Longest list that is read, in characters; what Prometheus sends has some 250. */
const longestList = 4_096;

function readList(header: string | undefined): readonly Entry[] {
  if (header === undefined || header.length > longestList) return [];
  return header.split(",").map((entry) => {
    const [value = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
    const valueOf = (name: string): string | undefined =>
      parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1);
    const q = Number(valueOf("q") ?? "1");
    return { value, version: valueOf("version"), q: Number.isNaN(q) ? 0 : q };
  });
}

function openMetricsVersion(accepted: readonly Entry[]): Wanted["openMetrics"] {
  const liked = accepted.filter(({ value, q }) => value === openMetricsType && q > 0);
  const likesText = Math.max(
    0,
    ...accepted.filter(({ value }) => ["text/plain", "text/*"].includes(value)).map(({ q }) => q),
  );
  const best = liked.filter(({ q }) => q >= likesText);
  if (best.some(({ version = "1.0.0" }) => version === "1.0.0")) return "1.0.0";
  return best.some(({ version }) => version === "0.0.1") ? "0.0.1" : undefined;
}

function bestEncoding(accepted: readonly Entry[]): Encoding | undefined {
  const liking = (name: Encoding): number => accepted.find(({ value }) => value === name)?.q ?? 0;
  const best = Math.max(...encodings.map(liking));
  return best > 0 ? encodings.find((name) => liking(name) === best) : undefined;
}
