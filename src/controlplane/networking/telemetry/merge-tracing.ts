/** To whom a workload's spans go, and how many of them: Istio's rules of Telemetry's tracing. */
import type { TelemetrySpec } from "../../config/objects.ts";
import { isForSide, type Side } from "./merge-logs.ts";

type Tracing = NonNullable<TelemetrySpec["tracing"]>[number];

/** What holds for a side of a workload. */
export interface TracingSettings extends Omit<Tracing, "match" | "providers" | "disableSpanReporting"> {
  /** Name of the provider. */
  readonly provider: string;
}

/**
 * Undefined where nothing is traced.
 *
 * @param entries of all Telemetries that apply, from the widest to the closest: the last that says something counts
 * @param defaults the providers of the mesh, of which the first counts
 */
export function mergeTracing(
  entries: readonly Tracing[],
  defaults: readonly string[],
  side: Side,
): TracingSettings | undefined {
  let provider = defaults[0];
  let isDisabled = false;
  let settings: Omit<TracingSettings, "provider"> = {};
  for (const { match, providers = [], disableSpanReporting, ...rest } of entries) {
    if (!isForSide(match?.mode, side)) continue;
    provider = providers[0]?.name ?? provider;
    isDisabled = disableSpanReporting ?? isDisabled;
    settings = { ...settings, ...rest };
  }
  return provider === undefined || isDisabled ? undefined : { provider, ...settings };
}
