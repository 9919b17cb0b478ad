/**
 * Istio's configuration objects, as far as this control plane acts on them (Istio's API reference): what their
 * schemas decode.
 */
import type { Decoded } from "./decode.ts";
import type * as schema from "./schema.ts";

/** A named port of a service. */
export type PortSpec = Decoded<typeof schema.port>;

/** A workload's address and what is known of it. */
export type WorkloadSpec = Decoded<typeof schema.workload>;

/** ServiceEntry. */
export type ServiceEntrySpec = Decoded<typeof schema.serviceEntry>;

/** Istio's StringMatch: exactly one field is set. */
export type StringMatch = Decoded<typeof schema.stringMatch>;

/** HTTPMatchRequest. */
export type HttpMatch = Decoded<typeof schema.httpMatch>;

/** HTTPRouteDestination. */
export type RouteDestination = Decoded<typeof schema.routeDestination>;

/** HTTPRoute. */
export type HttpRoute = Decoded<typeof schema.httpRoute>;

/** VirtualService. */
export type VirtualServiceSpec = Decoded<typeof schema.virtualService>;

/** DestinationRule. */
export type DestinationRuleSpec = Decoded<typeof schema.destinationRule>;

/** PeerAuthentication. */
export type PeerAuthenticationSpec = Decoded<typeof schema.peerAuthentication>;

/** What a server accepts. */
export type MutualTlsMode = Exclude<NonNullable<PeerAuthenticationSpec["mtls"]>["mode"], "UNSET">;

/** Sidecar. */
export type SidecarSpec = Decoded<typeof schema.sidecar>;

/** Sidecar's listeners. */
export type IngressListener = NonNullable<SidecarSpec["ingress"]>[number];

/** Sidecar's outbound listeners. */
export type EgressListener = NonNullable<SidecarSpec["egress"]>[number];

/** Every kind and its specification. */
export interface Kinds {
  readonly ServiceEntry: ServiceEntrySpec;
  readonly WorkloadEntry: WorkloadSpec;
  readonly VirtualService: VirtualServiceSpec;
  readonly DestinationRule: DestinationRuleSpec;
  readonly PeerAuthentication: PeerAuthenticationSpec;
  readonly Sidecar: SidecarSpec;
}

/** One object of a source. */
export type ConfigObject = {
  readonly [Kind in keyof Kinds]: {
    readonly kind: Kind;
    readonly name: string;
    readonly namespace: string;
    /** File and line, for messages. */
    readonly source: string;
    readonly line: number;
    readonly spec: Kinds[Kind];
  };
}[keyof Kinds];

/** Name of an object among all others. */
export function objectId({
  kind,
  namespace,
  name,
}: Pick<ConfigObject, "kind" | "namespace" | "name">): string {
  return `${kind} ${namespace}/${name}`;
}
