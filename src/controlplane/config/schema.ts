/**
 * The schema of each kind. A field that Istio has and this control plane does not act on is refused: silently
 * ignoring half of a policy would be worse.
 */
import type { Decoder } from "./decode.ts";
import type { Kinds } from "./objects.ts";
import { destinationRule } from "./schemas/destination-rule.ts";
import { envoyFilter } from "./schemas/envoy-filter.ts";
import { gateway } from "./schemas/gateway.ts";
import { gatewayClass, kubernetesGateway, namespace, referenceGrant } from "./schemas/gateway-api/gateway.ts";
import { grpcRoute, httpRoute, tcpRoute, tlsRoute } from "./schemas/gateway-api/routes.ts";
import { secret } from "./schemas/secret.ts";
import { authorizationPolicy, peerAuthentication, requestAuthentication } from "./schemas/security.ts";
import { serviceEntry, sidecar, workload } from "./schemas/services.ts";
import { telemetry } from "./schemas/telemetry.ts";
import { virtualService } from "./schemas/virtual-service.ts";

const networking = "networking.istio.io";
const security = "security.istio.io";
const gatewayApi = "gateway.networking.k8s.io";

export const istioVersions = ["v1", "v1beta1", "v1alpha3"];

/** A kind. */
interface KindRow<Spec> {
  /** The API group that it belongs to; empty for Kubernetes' own. */
  readonly group: string;
  /** As objects say it, where a kind of another group has that name, too. */
  readonly written?: string;
  /** Versions of the group that it is served in, the one to write first; Istio's unless told. */
  readonly versions?: readonly string[];
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
  ServiceEntry: { group: networking, spec: serviceEntry },
  WorkloadEntry: { group: networking, spec: workload },
  VirtualService: { group: networking, spec: virtualService },
  DestinationRule: { group: networking, spec: destinationRule },
  Sidecar: { group: networking, spec: sidecar },
  Gateway: { group: networking, spec: gateway },
  PeerAuthentication: { group: security, spec: peerAuthentication },
  AuthorizationPolicy: { group: security, spec: authorizationPolicy },
  Secret: { group: "", isBare: true, spec: secret },
  EnvoyFilter: { group: networking, spec: envoyFilter },
  Telemetry: { group: "telemetry.istio.io", spec: telemetry },
  RequestAuthentication: { group: security, spec: requestAuthentication },
  KubernetesGateway: {
    group: gatewayApi,
    written: "Gateway",
    versions: ["v1", "v1beta1"],
    spec: kubernetesGateway,
  },
  GatewayClass: { group: gatewayApi, versions: ["v1", "v1beta1"], isClusterWide: true, spec: gatewayClass },
  HTTPRoute: { group: gatewayApi, versions: ["v1", "v1beta1"], spec: httpRoute },
  GRPCRoute: { group: gatewayApi, versions: ["v1", "v1alpha2"], spec: grpcRoute },
  TLSRoute: { group: gatewayApi, versions: ["v1", "v1alpha3", "v1alpha2"], spec: tlsRoute },
  TCPRoute: { group: gatewayApi, versions: ["v1", "v1alpha2"], spec: tcpRoute },
  ReferenceGrant: { group: gatewayApi, versions: ["v1", "v1beta1"], spec: referenceGrant },
  Namespace: { group: "", isBare: true, isClusterWide: true, spec: namespace },
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
  const { group, versions = istioVersions } = kinds[kind];
  return group === "" ? ["v1"] : versions.map((version) => `${group}/${version}`);
}
