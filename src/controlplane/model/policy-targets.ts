/** Policies that are for the routers of a Gateway of the Gateway API, by its name. */
import { gatewayNameLabel } from "../config/gateway-api/listeners.ts";
import { gatewayApiGroup, type Selecting, type TargetRef } from "../config/rules/selection.ts";

/** None of one that is for workloads by their labels, or for all. */
export function targetsOf({ targetRef, targetRefs = [] }: Selecting): readonly TargetRef[] {
  return targetRef === undefined ? targetRefs : [targetRef];
}

/** True for a router of one of them that is of the policy's own namespace. */
export function isTarget(
  targets: readonly TargetRef[],
  { labels }: { readonly labels: Readonly<Record<string, string>> },
): boolean {
  return targets.some(
    ({ group, kind, name }) =>
      group === gatewayApiGroup && kind === "Gateway" && labels[gatewayNameLabel] === name,
  );
}
