/**
 * The parents of a route that is refused, as far as it says which: nothing of it is decoded.
 */
import type { Condition, ParentStatus } from "../config/gateway-api/conditions.ts";
import { gatewayApiGroup } from "../config/rules/selection.ts";
import { type ApiObject } from "../kubernetes/api.ts";
import { mappingsOf } from "../kubernetes/resource.ts";

/** In whose name it refers to them, and what they say. */
export interface RefusedRoute {
  readonly namespace: string;
  /** @param id as `objectId` names it */
  readonly isOwnGateway: (id: string) => boolean;
  readonly conditions: readonly Condition[];
}

/** Those that are this control plane's: another one's has its own mind. */
export function refusedParents(
  spec: ApiObject,
  { namespace, isOwnGateway, conditions }: RefusedRoute,
): readonly ParentStatus[] {
  return mappingsOf(spec["parentRefs"]).flatMap((ref) => {
    const { group = gatewayApiGroup, kind = "Gateway", name, namespace: its, sectionName, port } = ref;
    if (typeof name !== "string" || typeof group !== "string" || typeof kind !== "string") return [];
    const isGateway = group === gatewayApiGroup && kind === "Gateway";
    const isService = group === "" && kind === "Service";
    const within = typeof its === "string" ? its : namespace;
    if (!isService && !(isGateway && isOwnGateway(`KubernetesGateway ${within}/${name}`))) return [];
    const parentRef = {
      ...{ group, kind, name },
      ...(typeof its === "string" ? { namespace: its } : {}),
      ...(typeof sectionName === "string" ? { sectionName } : {}),
      ...(typeof port === "number" ? { port } : {}),
    };
    return [{ parentRef, conditions }];
  });
}
