/** Which Telemetries apply to a workload. */
import { gatewayApiGroup } from "../../config/rules/selection.ts";
import type { TelemetrySpec } from "../../config/objects.ts";
import { hasSelector, type Model, type Scoped, selects } from "../../model/model.ts";

/** A workload, as Telemetries select it. */
export interface ObservedWorkload {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Label of the proxies of a Gateway of the Gateway API. */
const gatewayLabel = "gateway.networking.k8s.io/gateway-name";

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

function isFor(spec: TelemetrySpec, { labels }: ObservedWorkload): boolean {
  const targets = targetsOf(spec);
  if (targets.length === 0) return selects(spec.selector?.matchLabels ?? {}, labels);
  return targets.some(
    ({ group, kind, name }) =>
      group === gatewayApiGroup && kind === "Gateway" && labels[gatewayLabel] === name,
  );
}

function targetsOf({ targetRef, targetRefs = [] }: TelemetrySpec): NonNullable<TelemetrySpec["targetRefs"]> {
  return targetRef === undefined ? targetRefs : [targetRef];
}
