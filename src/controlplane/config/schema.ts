/**
 * The schema of each kind. A field that Istio has and this control plane does not act on is refused: silently
 * ignoring half of a policy would be worse.
 */
import type { Decoder } from "./decode.ts";
import type { Kinds } from "./objects.ts";
import { destinationRule } from "./schemas/destination-rule.ts";
import { envoyFilter } from "./schemas/envoy-filter.ts";
import { trafficExtension, wasmPlugin } from "./schemas/extensions.ts";
import { gateway } from "./schemas/gateway.ts";
import { gatewayClass, kubernetesGateway, namespace, referenceGrant } from "./schemas/gateway-api/gateway.ts";
import { grpcRoute, httpRoute, tcpRoute, tlsRoute } from "./schemas/gateway-api/routes.ts";
import { proxyConfig } from "./schemas/proxy-config.ts";
import { secret } from "./schemas/secret.ts";
import { authorizationPolicy, peerAuthentication, requestAuthentication } from "./schemas/security.ts";
import { serviceEntry, sidecar, workload } from "./schemas/services.ts";
import { telemetry } from "./schemas/telemetry.ts";
import { virtualService } from "./schemas/virtual-service.ts";
import { workloadGroup } from "./schemas/workload-group.ts";

const networking = "networking.istio.io";
const security = "security.istio.io";
const extensions = "extensions.istio.io";
const gatewayApi = "gateway.networking.k8s.io";

/** Versions in which Istio's and the Gateway API's definitions (CustomResourceDefinition) have most kinds of a group. */
const networkingVersions = ["v1", "v1beta1", "v1alpha3"];
const securityVersions = ["v1", "v1beta1"];
const gatewayApiVersions = ["v1", "v1beta1"];

/** A kind. */
interface KindRow<Spec> {
  /** The API group that it belongs to; empty for Kubernetes' own. */
  readonly group: string;
  /** As objects say it, where a kind of another group has that name, too. */
  readonly written?: string;
  /** Versions of the group that it is served in, of this release and of older ones, the one to write first. */
  readonly versions: readonly string[];
  /** It is in no namespace. */
  readonly isClusterWide?: true;
  readonly spec: Decoder<Spec>;
  /** The fields of the specification stand in the object itself. */
  readonly isBare?: true;
}

/** Decoder of the specification of each kind. */
export const kinds: {
  readonly [Kind in keyof Kinds]: KindRow<Kinds[Kind]>;
} = {
  ServiceEntry: { group: networking, versions: networkingVersions, spec: serviceEntry },
  WorkloadEntry: { group: networking, versions: networkingVersions, spec: workload },
  WorkloadGroup: { group: networking, versions: networkingVersions, spec: workloadGroup },
  VirtualService: { group: networking, versions: networkingVersions, spec: virtualService },
  DestinationRule: { group: networking, versions: networkingVersions, spec: destinationRule },
  Sidecar: { group: networking, versions: networkingVersions, spec: sidecar },
  Gateway: { group: networking, versions: networkingVersions, spec: gateway },
  PeerAuthentication: { group: security, versions: securityVersions, spec: peerAuthentication },
  AuthorizationPolicy: { group: security, versions: securityVersions, spec: authorizationPolicy },
  Secret: { group: "", versions: ["v1"], isBare: true, spec: secret },
  EnvoyFilter: { group: networking, versions: ["v1alpha3"], spec: envoyFilter },
  ProxyConfig: { group: networking, versions: ["v1beta1"], spec: proxyConfig },
  WasmPlugin: { group: extensions, versions: ["v1alpha1"], spec: wasmPlugin },
  TrafficExtension: { group: extensions, versions: ["v1alpha1"], spec: trafficExtension },
  Telemetry: { group: "telemetry.istio.io", versions: ["v1", "v1alpha1"], spec: telemetry },
  RequestAuthentication: { group: security, versions: securityVersions, spec: requestAuthentication },
  KubernetesGateway: {
    group: gatewayApi,
    written: "Gateway",
    versions: gatewayApiVersions,
    spec: kubernetesGateway,
  },
  GatewayClass: { group: gatewayApi, versions: gatewayApiVersions, isClusterWide: true, spec: gatewayClass },
  HTTPRoute: { group: gatewayApi, versions: gatewayApiVersions, spec: httpRoute },
  GRPCRoute: { group: gatewayApi, versions: ["v1", "v1alpha2"], spec: grpcRoute },
  TLSRoute: { group: gatewayApi, versions: ["v1", "v1alpha3", "v1alpha2"], spec: tlsRoute },
  TCPRoute: { group: gatewayApi, versions: ["v1", "v1alpha2"], spec: tcpRoute },
  ReferenceGrant: { group: gatewayApi, versions: gatewayApiVersions, spec: referenceGrant },
  Namespace: { group: "", versions: ["v1"], isBare: true, isClusterWide: true, spec: namespace },
};

/** As objects say their kind. */
export function writtenKind(kind: keyof Kinds): string {
  return kinds[kind].written ?? kind;
}

/** The kind that an object of this group says; one of another group that has none of this name is a slip of the pen. */
export function kindOf(written: string, apiVersion: string): keyof Kinds | undefined {
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  const names = (Object.keys(kinds) as (keyof Kinds)[]).filter((kind) => writtenKind(kind) === written);
  return names.find((kind) => kinds[kind].group === group) ?? names[0];
}

/** Every `apiVersion` that objects of a kind may say, the one to write first. */
export function apiVersionsOf(kind: keyof Kinds): readonly string[] {
  const { group, versions } = kinds[kind];
  return versions.map((version) => (group === "" ? version : `${group}/${version}`));
}
