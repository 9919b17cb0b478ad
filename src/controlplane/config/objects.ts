/**
 * Istio's configuration objects, as far as this control plane acts on them (Istio's API reference).
 */

/** A named port of a service. */
export interface PortSpec {
  readonly number: number;
  readonly name: string;
  readonly protocol: string | undefined;
  readonly targetPort: number | undefined;
}

/** A workload's address and what is known of it. */
export interface WorkloadSpec {
  readonly address: string;
  /** Port number by port name. */
  readonly ports: Readonly<Record<string, number>> | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly serviceAccount: string | undefined;
  readonly weight: number | undefined;
}

/** ServiceEntry. */
export interface ServiceEntrySpec {
  readonly hosts: readonly string[];
  readonly addresses: readonly string[] | undefined;
  readonly ports: readonly PortSpec[];
  readonly location: "MESH_EXTERNAL" | "MESH_INTERNAL" | undefined;
  readonly resolution: "STATIC" | "DNS" | "NONE" | undefined;
  readonly endpoints: readonly WorkloadSpec[] | undefined;
  readonly workloadSelector: { readonly labels: Readonly<Record<string, string>> } | undefined;
}

/** Istio's StringMatch: exactly one field is set. */
export interface StringMatch {
  readonly exact: string | undefined;
  readonly prefix: string | undefined;
  readonly regex: string | undefined;
}

/** HTTPMatchRequest. */
export interface HttpMatch {
  readonly name: string | undefined;
  readonly uri: StringMatch | undefined;
  readonly method: StringMatch | undefined;
  readonly authority: StringMatch | undefined;
  readonly headers: Readonly<Record<string, StringMatch>> | undefined;
  readonly ignoreUriCase: boolean | undefined;
}

/** HTTPRouteDestination. */
export interface RouteDestination {
  readonly destination: {
    readonly host: string;
    readonly subset: string | undefined;
    readonly port: { readonly number: number } | undefined;
  };
  readonly weight: number | undefined;
}

/** HTTPRoute. */
export interface HttpRoute {
  readonly name: string | undefined;
  readonly match: readonly HttpMatch[] | undefined;
  readonly route: readonly RouteDestination[];
  readonly timeout: string | undefined;
}

/** VirtualService. */
export interface VirtualServiceSpec {
  readonly hosts: readonly string[];
  readonly http: readonly HttpRoute[];
}

/** A client's TLS towards a service. */
export type ClientTlsMode = "DISABLE" | "ISTIO_MUTUAL";

/** TrafficPolicy. */
export interface TrafficPolicy {
  readonly tls: { readonly mode: ClientTlsMode } | undefined;
  readonly loadBalancer: { readonly simple: "LEAST_REQUEST" | "ROUND_ROBIN" | "RANDOM" } | undefined;
}

/** DestinationRule. */
export interface DestinationRuleSpec {
  readonly host: string;
  readonly trafficPolicy: TrafficPolicy | undefined;
  readonly subsets:
    readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[] | undefined;
}

/** What a server accepts. */
export type MutualTlsMode = "STRICT" | "PERMISSIVE" | "DISABLE";

/** PeerAuthentication. */
export interface PeerAuthenticationSpec {
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> } | undefined;
  readonly mtls: { readonly mode: MutualTlsMode | "UNSET" } | undefined;
  readonly portLevelMtls: Readonly<Record<string, { readonly mode: MutualTlsMode | "UNSET" }>> | undefined;
}

/** Sidecar's listeners. */
export interface IngressListener {
  readonly port: PortSpec;
  readonly bind: string | undefined;
  readonly captureMode: CaptureMode | undefined;
  /** `127.0.0.1:PORT`, `0.0.0.0:PORT`, `[::1]:PORT` or `unix:PATH`. */
  readonly defaultEndpoint: string;
}

/** How traffic reaches a listener. */
export type CaptureMode = "DEFAULT" | "IPTABLES" | "NONE";

/** Sidecar's outbound listeners. */
export interface EgressListener {
  readonly port: PortSpec | undefined;
  readonly bind: string | undefined;
  readonly captureMode: CaptureMode | undefined;
  /** `namespace/host`; `.` is the proxy's namespace, `*` any. */
  readonly hosts: readonly string[];
}

/** Sidecar. */
export interface SidecarSpec {
  readonly workloadSelector: { readonly labels: Readonly<Record<string, string>> } | undefined;
  readonly ingress: readonly IngressListener[] | undefined;
  readonly egress: readonly EgressListener[] | undefined;
  readonly outboundTrafficPolicy: { readonly mode: "ALLOW_ANY" | "REGISTRY_ONLY" } | undefined;
}

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
