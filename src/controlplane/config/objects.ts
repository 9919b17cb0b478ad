/**
 * Istio's configuration objects, as far as this control plane acts on them (Istio's API reference): what their
 * schemas decode.
 */
import type { Decoded } from "./decode.ts";
import type * as common from "./schemas/common.ts";
import type * as destinationRules from "./schemas/destination-rule.ts";
import type * as providers from "./schemas/extension-providers.ts";
import type * as gateways from "./schemas/gateway.ts";
import type * as meshes from "./schemas/mesh-config.ts";
import type * as secrets from "./schemas/secret.ts";
import type * as security from "./schemas/security.ts";
import type * as services from "./schemas/services.ts";
import type * as virtualServices from "./schemas/virtual-service.ts";

/** A named port of a service. */
export type PortSpec = Decoded<typeof common.port>;

/** A workload's address and what is known of it. */
export type WorkloadSpec = Decoded<typeof services.workload> & {
  /** Of an endpoint of a service, where a registry knows it; nobody writes it into a file. */
  readonly name?: string;
};

/** ServiceEntry. */
export type ServiceEntrySpec = Omit<Decoded<typeof services.serviceEntry>, "endpoints"> & {
  readonly endpoints?: readonly WorkloadSpec[] | undefined;
};

/** Istio's StringMatch: exactly one field is set. */
export type StringMatch = Decoded<typeof common.stringMatch>;

/** HTTPMatchRequest. */
export type HttpMatch = Decoded<typeof virtualServices.httpMatch>;

/** Destination. */
export type Destination = Decoded<typeof common.destination>;

/** HTTPRoute. */
export type HttpRoute = Decoded<typeof virtualServices.httpRoute>;

/** TCPRoute. */
export type TcpRoute = Decoded<typeof virtualServices.tcpRoute>;

/** TLSRoute. */
export type TlsRoute = Decoded<typeof virtualServices.tlsRoute>;

/** Headers: what is set, added and removed on the way there and back. */
export type HeadersSpec = Decoded<typeof virtualServices.headers>;

/** VirtualService. */
export type VirtualServiceSpec = Decoded<typeof virtualServices.virtualService>;

/** DestinationRule. */
export type DestinationRuleSpec = Decoded<typeof destinationRules.destinationRule>;

/** TrafficPolicy. */
export type TrafficPolicySpec = Decoded<typeof destinationRules.trafficPolicy>;

/** LocalityLoadBalancerSetting. */
export type LocalitySettingSpec = Decoded<typeof destinationRules.localitySetting>;

/** PeerAuthentication. */
export type PeerAuthenticationSpec = Decoded<typeof security.peerAuthentication>;

/** AuthorizationPolicy. */
export type AuthorizationPolicySpec = Decoded<typeof security.authorizationPolicy>;

/** RequestAuthentication. */
export type RequestAuthenticationSpec = Decoded<typeof security.requestAuthentication>;

/** What a server accepts. */
export type MutualTlsMode = Exclude<
  NonNullable<NonNullable<PeerAuthenticationSpec["mtls"]>["mode"]>,
  "UNSET"
>;

/** Sidecar. */
export type SidecarSpec = Decoded<typeof services.sidecar>;

/** Sidecar's listeners. */
export type IngressListener = NonNullable<SidecarSpec["ingress"]>[number];

/** Sidecar's outbound listeners. */
export type EgressListener = NonNullable<SidecarSpec["egress"]>[number];

/** Gateway. */
export type GatewaySpec = Decoded<typeof gateways.gateway>;

/** One of its servers: a port, and for which hosts. */
export type GatewayServerSpec = Decoded<typeof gateways.gatewayServer>;

/** Secret, of Kubernetes. */
export type SecretSpec = Decoded<typeof secrets.secret>;

/** MeshConfig. */
export type MeshConfigSpec = Decoded<typeof meshes.meshConfig>;

/** One of its extension providers. */
export type ExtensionProviderSpec = Decoded<typeof providers.extensionProvider>;

/** Every kind of documents and its specification. */
export interface Kinds {
  readonly ServiceEntry: ServiceEntrySpec;
  readonly WorkloadEntry: WorkloadSpec;
  readonly VirtualService: VirtualServiceSpec;
  readonly DestinationRule: DestinationRuleSpec;
  readonly Sidecar: SidecarSpec;
  readonly Gateway: GatewaySpec;
  readonly PeerAuthentication: PeerAuthenticationSpec;
  readonly AuthorizationPolicy: AuthorizationPolicySpec;
  readonly RequestAuthentication: RequestAuthenticationSpec;
  readonly Secret: SecretSpec;
}

/** The same with what has no document of its own. */
interface AllKinds extends Kinds {
  readonly MeshConfig: MeshConfigSpec;
}

/** One object of a source. */
export type ConfigObject = {
  readonly [Kind in keyof AllKinds]: {
    readonly kind: Kind;
    readonly name: string;
    readonly namespace: string;
    /** `metadata.creationTimestamp` in milliseconds; undefined where nobody has set it, as in files written by hand. */
    readonly createdAtMs?: number;
    /** An AuthorizationPolicy that is counted and not enforced: the annotation `istio.io/dry-run`. */
    readonly isDryRun?: true;
    /** File and line, for messages; line 0 where a source has none. */
    readonly source: string;
    readonly line: number;
    readonly spec: AllKinds[Kind];
  };
}[keyof AllKinds];

/** Name of an object among all others. */
export function objectId({
  kind,
  namespace,
  name,
}: Pick<ConfigObject, "kind" | "namespace" | "name">): string {
  return `${kind} ${namespace}/${name}`;
}

/** What is older first (`creationTimestamp`), what does not say last; then by name and namespace. */
export function byAge(a: ConfigObject, b: ConfigObject): number {
  const [ageA, ageB] = [a.createdAtMs ?? Infinity, b.createdAtMs ?? Infinity];
  if (ageA !== ageB) return ageA < ageB ? -1 : 1;
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1;
  return 0;
}
