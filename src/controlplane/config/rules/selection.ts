/** For whom a policy is. */
import type { Complaint } from "./complaint.ts";

/** Ways to say it. */
export interface Selecting {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> | undefined } | undefined;
  readonly targetRef?: TargetRef | undefined;
  readonly targetRefs?: readonly TargetRef[] | undefined;
}

/** An object that a policy is for. */
export interface TargetRef {
  readonly group?: string | undefined;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string | undefined;
}

/** Group of the Gateway API. */
export const gatewayApiGroup = "gateway.networking.k8s.io";

/** A policy is for workloads by their labels, or for other objects by their names. */
export function oneWayToSelect({ selector, targetRef, targetRefs = [] }: Selecting): readonly Complaint[] {
  const said = [selector !== undefined, targetRef !== undefined, targetRefs.length > 0];
  const refs: readonly (readonly [path: string, ref: TargetRef])[] = [
    ...(targetRef === undefined ? [] : [["spec.targetRef", targetRef] as const]),
    ...targetRefs.map((ref, index) => [`spec.targetRefs[${index}]`, ref] as const),
  ];
  return [
    ...(said.filter(Boolean).length > 1
      ? [["spec", "may have only one of selector, targetRef and targetRefs"] as const]
      : []),
    ...refs.flatMap(([path, { group = "", kind, namespace = "" }]): readonly Complaint[] => {
      if (namespace !== "")
        return [[`${path}.namespace`, "must be left out: it is that of the object itself"]];
      if (group === gatewayApiGroup && kind === "Gateway") return [];
      return [
        [`${path}.kind`, `has no effect here: only Gateways of ${gatewayApiGroup} can be named`, "warning"],
      ];
    }),
  ];
}
