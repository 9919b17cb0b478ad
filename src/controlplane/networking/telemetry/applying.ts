/** Which Telemetries apply to a workload. */
import type { TelemetrySpec } from "../../config/objects.ts";
import { hasSelector, type Model, type Scoped, selects } from "../../model/model.ts";
import { isTarget, targetsOf } from "../../model/policy-targets.ts";

/** A workload, as Telemetries select it. */
export interface ObservedWorkload {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** From the widest to the closest: what comes later counts over what came before. */
export function applyingTelemetries(
  { telemetries, settings }: Pick<Model, "telemetries" | "settings">,
  workload: ObservedWorkload,
): readonly TelemetrySpec[] {
  const ofNamespace = (wanted: string): readonly Scoped<TelemetrySpec>[] =>
    telemetries.filter(({ namespace }) => namespace === wanted);
  const own = ofNamespace(workload.namespace);
  const wide =
    workload.namespace === settings.rootNamespace ? [own] : [ofNamespace(settings.rootNamespace), own];
  return [
    // A namespace has one for all: the oldest.
    ...wide.flatMap((list) => list.find(({ spec }) => isForAll(spec)) ?? []),
    ...own.filter(({ spec }) => !isForAll(spec) && isFor(spec, workload)),
  ].map(({ spec }) => spec);
}

/** True for one that names no workload. */
export function isForAll(spec: TelemetrySpec): boolean {
  return !hasSelector(spec) && targetsOf(spec).length === 0;
}

function isFor(spec: TelemetrySpec, workload: ObservedWorkload): boolean {
  const targets = targetsOf(spec);
  if (targets.length === 0) return selects(spec.selector?.matchLabels ?? {}, workload.labels);
  return isTarget(targets, workload);
}
