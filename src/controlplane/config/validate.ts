/**
 * Rules that span several fields of one object.
 */
import type { ConfigObject, PeerAuthenticationSpec, SidecarSpec } from "./objects.ts";
import { authorizationPolicy } from "./rules/authorization-policy.ts";
import { type Complaint, duplicates } from "./rules/complaint.ts";
import { destinationRule } from "./rules/destination-rule.ts";
import { envoyFilter } from "./rules/envoy-filter.ts";
import { trafficExtension, wasmPlugin } from "./rules/extensions.ts";
import { gateway } from "./rules/gateway.ts";
import { kubernetesGateway } from "./rules/gateway-api-gateway.ts";
import {
  gatewayApiConnectionRoute,
  gatewayApiGrpcRoute,
  gatewayApiHttpRoute,
} from "./rules/gateway-api-routes.ts";
import { meshConfig } from "./rules/mesh-config.ts";
import { proxyConfig } from "./rules/proxy-config.ts";
import { requestAuthentication } from "./rules/request-authentication.ts";
import { secret } from "./rules/secret.ts";
import { serviceEntry } from "./rules/service-entry.ts";
import { telemetry } from "./rules/telemetry.ts";
import { virtualService } from "./rules/virtual-service.ts";
import { workloadGroup } from "./rules/workload-group.ts";

/** Every broken rule of `object`. */
export function validate(object: ConfigObject): readonly Complaint[] {
  switch (object.kind) {
    case "ServiceEntry":
      return serviceEntry(object.spec);
    case "VirtualService":
      return virtualService(object.spec);
    case "PeerAuthentication":
      return peerAuthentication(object.spec);
    case "AuthorizationPolicy":
      return authorizationPolicy(object.spec);
    case "Sidecar":
      return sidecar(object.spec);
    case "DestinationRule":
      return destinationRule(object.spec);
    case "Gateway":
      return gateway(object.spec);
    case "MeshConfig":
      return meshConfig(object.spec);
    case "EnvoyFilter":
      return envoyFilter(object.spec);
    case "ProxyConfig":
      return proxyConfig(object.spec);
    case "WasmPlugin":
      return wasmPlugin(object.spec);
    case "TrafficExtension":
      return trafficExtension(object.spec);
    case "Telemetry":
      return telemetry(object.spec);
    case "Secret":
      return secret(object.spec);
    case "KubernetesGateway":
      return kubernetesGateway(object.spec);
    case "HTTPRoute":
      return gatewayApiHttpRoute(object.spec);
    case "GRPCRoute":
      return gatewayApiGrpcRoute(object.spec);
    case "TLSRoute":
    case "TCPRoute":
      return gatewayApiConnectionRoute(object.spec);
    case "RequestAuthentication":
      return requestAuthentication(object.spec);
    case "WorkloadGroup":
      return workloadGroup(object.spec);
    case "WorkloadEntry":
    case "GatewayClass":
    case "ReferenceGrant":
    case "Namespace":
      return [];
  }
}

function peerAuthentication(spec: PeerAuthenticationSpec): readonly Complaint[] {
  const hasPorts = Object.keys(spec.portLevelMtls ?? {}).length > 0;
  const selects = Object.keys(spec.selector?.matchLabels ?? {}).length > 0;
  return hasPorts && !selects ? [["spec.portLevelMtls", "needs a selector: ports belong to a workload"]] : [];
}

function sidecar(spec: SidecarSpec): readonly Complaint[] {
  const ports = spec.ingress?.map(({ port }) => port.number) ?? [];
  const egress = spec.egress ?? [];
  const listeners = egress.map(({ port }) => port?.number ?? "the listener without a port");
  const catchAll = egress.findIndex(({ port }) => port === undefined);
  const isLast = catchAll < 0 || catchAll === egress.length - 1;
  const isEmpty = ports.length + egress.length === 0 && spec.outboundTrafficPolicy === undefined;
  return [
    ...(isEmpty ? [["spec", "says nothing: give it egress, ingress or outboundTrafficPolicy"] as const] : []),
    ...duplicates(ports, "spec.ingress", "port.number"),
    ...duplicates(listeners, "spec.egress", "port"),
    ...(isLast
      ? []
      : [[`spec.egress[${catchAll}]`, "has no port, and takes all others: make it the last one"] as const]),
  ];
}
