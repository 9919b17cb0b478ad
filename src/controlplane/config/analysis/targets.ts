/** Policies for a Gateway by its name that is not there: they are for nobody. */
import type { ConfigObject } from "../objects.ts";
import type { ConfigProblem } from "../problem.ts";
import { gatewayApiGroup, type Selecting } from "../rules/selection.ts";
import { warningAt } from "./warning.ts";

type Named = ConfigObject & { readonly spec: Selecting };

/** @param gateways those of the Gateway API */
export function targetWarnings(
  policies: readonly Named[],
  gateways: readonly { readonly namespace: string; readonly name: string }[],
): readonly ConfigProblem[] {
  const known = new Set(gateways.map(({ namespace, name }) => `${namespace}/${name}`));
  return policies.flatMap((policy) => {
    const { targetRef, targetRefs = [] } = policy.spec;
    const refs = [
      ...(targetRef === undefined ? [] : [["spec.targetRef", targetRef] as const]),
      ...targetRefs.map((ref, index) => [`spec.targetRefs[${index}]`, ref] as const),
    ];
    return refs.flatMap(([path, { group, kind, name }]): readonly ConfigProblem[] =>
      group !== gatewayApiGroup || kind !== "Gateway" || known.has(`${policy.namespace}/${name}`)
        ? []
        : [
            warningAt(
              policy,
              `${path}.name`,
              `${policy.namespace} has no Gateway ${name} of ${gatewayApiGroup}: it is for none`,
            ),
          ],
    );
  });
}
