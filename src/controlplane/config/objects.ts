/**
 * Istio's configuration objects, as far as this control plane acts on them (Istio's API reference): what their
 * schemas decode.
 */
import type { Decoded } from "./decode.ts";
import type * as common from "./schemas/common.ts";
import type * as destinationRules from "./schemas/destination-rule.ts";
import type * as providers from "./schemas/extension-providers.ts";
import type * as envoyFilters from "./schemas/envoy-filter.ts";
import type * as extensions from "./schemas/extensions.ts";
import type * as gateways from "./schemas/gateway.ts";
import type * as gatewayApi from "./schemas/gateway-api/gateway.ts";
import type * as gatewayApiFilters from "./schemas/gateway-api/filters.ts";
import type * as gatewayApiReferences from "./schemas/gateway-api/references.ts";
import type * as gatewayApiRoutes from "./schemas/gateway-api/routes.ts";
import type * as meshes from "./schemas/mesh-config.ts";
import type * as proxyConfigs from "./schemas/proxy-config.ts";
import type * as secrets from "./schemas/secret.ts";
import type * as security from "./schemas/security.ts";
import type * as services from "./schemas/services.ts";
import type * as telemetries from "./schemas/telemetry.ts";
import type * as virtualServices from "./schemas/virtual-service.ts";
import type * as workloadGroups from "./schemas/workload-group.ts";

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

/** WorkloadGroup. */
export type WorkloadGroupSpec = Decoded<typeof workloadGroups.workloadGroup>;

/** Istio's StringMatch: exactly one field is set. */
export type StringMatch = Decoded<typeof common.stringMatch>;

/** HTTPMatchRequest. */
export type HttpMatch = Decoded<typeof virtualServices.httpMatch>;

/** Destination. */
export type Destination = Decoded<typeof common.destination>;

/** HTTPRoute of a VirtualService. */
export type HttpRoute = Decoded<typeof virtualServices.httpRoute> & {
  /** The object that it was written as, where that is none of Istio's. */
  readonly origin?: ObjectOrigin;
};

/** TCPRoute. */
export type TcpRoute = Decoded<typeof virtualServices.tcpRoute>;

/** TLSRoute. */
export type TlsRoute = Decoded<typeof virtualServices.tlsRoute>;

/** Headers: what is set, added and removed on the way there and back. */
export type HeadersSpec = Decoded<typeof virtualServices.headers>;

/** VirtualService. */
export type VirtualServiceSpec = Omit<Decoded<typeof virtualServices.virtualService>, "http"> & {
  readonly http?: readonly HttpRoute[] | undefined;
};

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

/** EnvoyFilter. */
export type EnvoyFilterSpec = Decoded<typeof envoyFilters.envoyFilter>;

/** One of its changes. */
export type ConfigPatchSpec = Decoded<typeof envoyFilters.configPatch>;

/** ProxyConfig. */
export type ProxyConfigSpec = Decoded<typeof proxyConfigs.proxyConfig>;

/** WasmPlugin. */
export type WasmPluginSpec = Decoded<typeof extensions.wasmPlugin>;

/** TrafficExtension. */
export type TrafficExtensionSpec = Decoded<typeof extensions.trafficExtension>;

/** A module in one of them. */
export type WasmModuleSpec = NonNullable<TrafficExtensionSpec["wasm"]>;

/** Telemetry. */
export type TelemetrySpec = Decoded<typeof telemetries.telemetry>;

/** Secret, of Kubernetes. */
export type SecretSpec = Decoded<typeof secrets.secret>;

/** MeshConfig. */
export type MeshConfigSpec = Decoded<typeof meshes.meshConfig>;

/** One of its extension providers. */
export type ExtensionProviderSpec = Decoded<typeof providers.extensionProvider>;

/** Gateway of the Gateway API. */
export type KubernetesGatewaySpec = Decoded<typeof gatewayApi.kubernetesGateway>;

/** One of its listeners. */
export type ListenerSpec = Decoded<typeof gatewayApi.listener>;

/** GatewayClass. */
export type GatewayClassSpec = Decoded<typeof gatewayApi.gatewayClass>;

/** ReferenceGrant. */
export type ReferenceGrantSpec = Decoded<typeof gatewayApi.referenceGrant>;

/** Namespace. */
export type NamespaceSpec = Decoded<typeof gatewayApi.namespace>;

/** To what a route is attached. */
export type ParentRef = Decoded<typeof gatewayApiReferences.parentRef>;

/** HTTPRoute of the Gateway API. */
export type HttpRouteSpec = Decoded<typeof gatewayApiRoutes.httpRoute>;

/** One of its rules. */
export type HttpRouteRule = Decoded<typeof gatewayApiRoutes.httpRouteRule>;

/** GRPCRoute. */
export type GrpcRouteSpec = Decoded<typeof gatewayApiRoutes.grpcRoute>;

/** One of its rules. */
export type GrpcRouteRule = Decoded<typeof gatewayApiRoutes.grpcRouteRule>;

/** A filter of an HTTPRoute's rule. */
export type HttpFilter = Decoded<typeof gatewayApiFilters.httpFilter>;

/** TLSRoute of the Gateway API. */
export type TlsRouteSpec = Decoded<typeof gatewayApiRoutes.tlsRoute>;

/** TCPRoute of the Gateway API. */
export type TcpRouteSpec = Decoded<typeof gatewayApiRoutes.tcpRoute>;

/** Every kind of documents and its specification. */
export interface Kinds {
  readonly ServiceEntry: ServiceEntrySpec;
  readonly WorkloadEntry: WorkloadSpec;
  readonly WorkloadGroup: WorkloadGroupSpec;
  readonly VirtualService: VirtualServiceSpec;
  readonly DestinationRule: DestinationRuleSpec;
  readonly Sidecar: SidecarSpec;
  readonly Gateway: GatewaySpec;
  readonly PeerAuthentication: PeerAuthenticationSpec;
  readonly AuthorizationPolicy: AuthorizationPolicySpec;
  readonly RequestAuthentication: RequestAuthenticationSpec;
  readonly Secret: SecretSpec;
  readonly Telemetry: TelemetrySpec;
  readonly EnvoyFilter: EnvoyFilterSpec;
  readonly ProxyConfig: ProxyConfigSpec;
  readonly WasmPlugin: WasmPluginSpec;
  readonly TrafficExtension: TrafficExtensionSpec;
  /** Gateway of the Gateway API, as Istio calls it beside its own. */
  readonly KubernetesGateway: KubernetesGatewaySpec;
  readonly GatewayClass: GatewayClassSpec;
  readonly HTTPRoute: HttpRouteSpec;
  readonly GRPCRoute: GrpcRouteSpec;
  readonly TLSRoute: TlsRouteSpec;
  readonly TCPRoute: TcpRouteSpec;
  readonly ReferenceGrant: ReferenceGrantSpec;
  readonly Namespace: NamespaceSpec;
}

/** An object as it was written. */
export interface ObjectOrigin {
  readonly kind: keyof Kinds;
  readonly namespace: string;
  readonly name: string;
}

/** How a Gateway or a VirtualService counts that stands for objects of the Gateway API. */
export interface GatewayApiTraits {
  /** Of a Gateway: hosts of the services of its namespace whose endpoints it is for, beside those that it selects. */
  readonly services?: readonly string[];
  /** Of a rule for the mesh: the namespace of the service, which decides for all; any other decides for its own calls. */
  readonly producer?: string;
}

/** How a WorkloadEntry counts that stands for a pod of a cluster. */
export interface PodTraits {
  /** It takes calls: services that select it have it as an endpoint. */
  readonly isReady: boolean;
  /** It has no address of its own, or no proxy that is known: what it says is whose pod it is, and no more. */
  readonly isIdentityOnly: boolean;
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
    /** Of a Namespace: its labels, by which Gateways choose whose routes they take. */
    readonly labels?: Readonly<Record<string, string>>;
    /** It stands for objects of the Gateway API, and no file has it as it is. */
    readonly gatewayApi?: GatewayApiTraits;
    /** It stands for a pod. */
    readonly pod?: PodTraits;
    /** A WorkloadEntry that is no endpoint of the services that select it: it says itself that it takes no calls. */
    readonly isUnhealthy?: true;
    /** A ServiceEntry of a cluster's Service: where whoever is outside calls it. */
    readonly loadBalancer?: readonly string[];
    /** A Secret of a cluster, which shows whose pods its gateways are. */
    readonly isInCluster?: true;
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
  return namespace === "" ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** What is older first (`creationTimestamp`), what does not say last; then by name and namespace. */
export function byAge(a: ConfigObject, b: ConfigObject): number {
  const [ageA, ageB] = [a.createdAtMs ?? Infinity, b.createdAtMs ?? Infinity];
  if (ageA !== ageB) return ageA < ageB ? -1 : 1;
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1;
  return 0;
}
