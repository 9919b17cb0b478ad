/** Which format and encoding are spoken with the scraper and with sources (RFC 9110, 12.5; OpenMetrics 1.0). */
import { type AcceptEntry, readAcceptList } from "../../net/accept-list.ts";
import { bestEncoding, type Encoding } from "../../net/content-encoding.ts";
import type { Format } from "./family.ts";

/** What a scraper takes. Text is always taken: there must be an answer. */
export interface Wanted {
  /** OpenMetrics' version, where the scraper likes it as well as text, or better. */
  readonly openMetrics: "1.0.0" | "0.0.1" | undefined;
  readonly encoding: Encoding | undefined;
}

const openMetricsType = "application/openmetrics-text";

/** Headers of a scraper, as one text each. */
export function readWanted(accept: string | undefined, acceptEncoding: string | undefined): Wanted {
  return {
    openMetrics: openMetricsVersion(readAcceptList(accept)),
    encoding: bestEncoding(acceptEncoding),
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

function openMetricsVersion(accepted: readonly AcceptEntry[]): Wanted["openMetrics"] {
  const liked = accepted.filter(({ value, q }) => value === openMetricsType && q > 0);
  const likesText = Math.max(
    0,
    ...accepted.filter(({ value }) => ["text/plain", "text/*"].includes(value)).map(({ q }) => q),
  );
  const versions = liked
    .filter(({ q }) => q >= likesText)
    .map(({ parameters }) => parameters.find((one) => one.startsWith("version=")) ?? "version=1.0.0");
  if (versions.includes("version=1.0.0")) return "1.0.0";
  return versions.includes("version=0.0.1") ? "0.0.1" : undefined;
}
