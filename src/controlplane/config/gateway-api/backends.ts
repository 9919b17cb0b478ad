/**
 * Where routes lead: backends as destinations of Istio's.
 */
import type { Destination, HttpRouteRule } from "../objects.ts";
import type { Fault } from "./conditions.ts";
import type { Route } from "./attach.ts";
import { gatewayApiGroup } from "../rules/selection.ts";
import { hostKey, type MeshFacts } from "./mesh-facts.ts";

type BackendRef = Pick<
  NonNullable<HttpRouteRule["backendRefs"]>[number],
  "group" | "kind" | "namespace" | "name" | "port" | "weight"
>;

/** In whose name something is referred to. */
export interface BackendContext {
  readonly route: Route;
  /** Routes of services lead wherever they say, as in Istio. */
  readonly isForMesh: boolean;
  readonly facts: MeshFacts;
}

/** A destination; one that cannot be reached has a host that nobody has, and a request to it fails. */
export interface Backend {
  readonly destination: Destination;
  readonly fault?: Fault;
}

/** Where nobody is: no name ends so (RFC 6761). */
const nowhere: Destination = { host: "no-backend.invalid", port: { number: 65_535 } };

/** Connections that lead nowhere are closed. */
export const closed = [{ destination: nowhere }];

export function backendOf(ref: BackendRef, path: string, context: BackendContext): Backend {
  const { route, isForMesh, facts } = context;
  const { group = "", kind = "Service", namespace = route.namespace, name, port } = ref;
  const refuse = (reason: string, message: string, destination = nowhere): Backend => ({
    destination,
    fault: { path, type: "ResolvedRefs", reason, message },
  });
  const isHostname = group === "networking.istio.io" && kind === "Hostname";
  if (!isHostname && (group !== "" || kind !== "Service"))
    return refuse(
      "InvalidKind",
      `${kind} ${name} is nothing to route to: name a Service, or a Hostname of networking.istio.io`,
    );
  const from = { group: gatewayApiGroup, kind: route.kind, namespace: route.namespace };
  if (!isForMesh && !facts.isAllowed({ from, to: { group, kind, namespace, name } })) {
    const message = `Service ${namespace}/${name} is not for a ${route.kind} of ${route.namespace}: allow it by a ReferenceGrant in ${namespace}`;
    return refuse("RefNotPermitted", message);
  }
  const host = hostKey(isHostname ? name : `${name}.${namespace}.svc.cluster.local`);
  const destination: Destination = { host, ...(port === undefined ? {} : { port: { number: port } }) };
  const ports = facts.ports.get(host);
  if (ports === undefined) return refuse("BackendNotFound", `${host} is no service`, destination);
  if (port !== undefined && !ports.has(port))
    return refuse("BackendNotFound", `${host} has no port ${port}`, destination);
  return { destination };
}

/** Those that have a weight; of one alone it is nothing to say. */
export function weighed<Ref extends BackendRef>(
  refs: readonly Ref[],
): readonly { readonly ref: Ref; readonly index: number; readonly weight?: number }[] {
  const counting = refs
    .map((ref, index) => ({ ref, index, weight: ref.weight ?? 1 }))
    .filter(({ weight }) => weight > 0);
  return counting.length === 1 ? counting.map(({ ref, index }) => ({ ref, index })) : counting;
}

/** Connections of a rule. */
export function connectionsOf(
  refs: readonly BackendRef[],
  path: string,
  context: BackendContext,
): {
  readonly route: readonly { readonly destination: Destination; readonly weight?: number }[];
  readonly faults: readonly Fault[];
} {
  const backends = weighed(refs).map(({ ref, index, weight }) => ({
    ...backendOf(ref, `${path}.backendRefs[${index}]`, context),
    weight,
  }));
  return {
    route:
      backends.length === 0
        ? closed
        : backends.map(({ destination, weight }) => ({
            destination,
            ...(weight === undefined ? {} : { weight }),
          })),
    faults: backends.flatMap(({ fault }) => fault ?? []),
  };
}
