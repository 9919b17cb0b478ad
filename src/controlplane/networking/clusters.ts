/**
 * Clusters and their endpoints.
 */
import type { ClusterJson } from "../../proto/envoy/envoy/config/cluster/v3/cluster_pb.js";
import type { AddressJson } from "../../proto/envoy/envoy/config/core/v3/address_pb.js";
import type { LocalityLbEndpointsJson } from "../../proto/envoy/envoy/config/endpoint/v3/endpoint_components_pb.js";
import type { ClusterLoadAssignmentJson } from "../../proto/envoy/envoy/config/endpoint/v3/endpoint_pb.js";
import { RawBufferSchema } from "../../proto/envoy/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js";
import { HttpProtocolOptionsSchema } from "../../proto/envoy/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { parseHostPort } from "../../net/host-port.ts";
import { workloadId } from "../../pki/spiffe-id.ts";
import { isAddress } from "../config/forms.ts";
import type { DestinationRuleSpec } from "../config/objects.ts";
import { type Endpoint, type Model, portOf, selects, type Service, type ServicePort } from "../model/model.ts";
import { packed } from "./any.ts";
import { outboundCluster, serverName } from "./names.ts";
import { clientTls } from "./tls.ts";

const unlimited = 4_294_967_295;

const defaults: ClusterJson = {
  connectTimeout: "10s",
  circuitBreakers: {
    thresholds: [
      {
        maxConnections: unlimited,
        maxPendingRequests: unlimited,
        maxRequests: unlimited,
        maxRetries: unlimited,
        trackRemaining: true,
      },
    ],
  },
};

const protocolOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** Cluster without endpoints: what leads here fails at once. */
export const blackHoleCluster: ClusterJson = {
  name: "BlackHoleCluster",
  type: "STATIC",
  connectTimeout: "10s",
};

/** Cluster that goes where the application wanted to go. */
export const passthroughCluster: ClusterJson = {
  ...defaults,
  name: "PassthroughCluster",
  type: "ORIGINAL_DST",
  lbPolicy: "CLUSTER_PROVIDED",
};

/** The same for inbound traffic; its source address keeps it from being captured again. */
export function inboundPassthroughCluster(from: Pick<ClusterJson, "upstreamBindConfig">): ClusterJson {
  return { ...passthroughCluster, name: "InboundPassthroughCluster", ...from };
}

/** One cluster per port and subset of a service. */
export function outboundClusters(
  model: Model,
  service: Service,
  rule: DestinationRuleSpec | undefined,
): readonly ClusterJson[] {
  return service.ports.flatMap((port) =>
    ["", ...(rule?.subsets ?? []).map(({ name }) => name)].map((subset) =>
      outbound(model, service, port, subset, rule),
    ),
  );
}

/** Endpoints of the clusters that get them by EDS. */
export function loadAssignments(
  service: Service,
  rule: DestinationRuleSpec | undefined,
): readonly ClusterLoadAssignmentJson[] {
  if (service.resolution !== "STATIC") return [];
  return service.ports.flatMap((port) => [
    assignment(service, port, "", service.endpoints),
    ...(rule?.subsets ?? []).map(({ name, labels }) =>
      assignment(
        service,
        port,
        name,
        service.endpoints.filter((endpoint) => selects(labels, endpoint.labels)),
      ),
    ),
  ]);
}

function outbound(
  model: Model,
  service: Service,
  port: ServicePort,
  subset: string,
  rule: DestinationRuleSpec | undefined,
): ClusterJson {
  const name = outboundCluster(service.host, port.number, subset);
  return {
    ...defaults,
    name,
    altStatName: `${name};`,
    ...discovery(service, port, name, subset, rule),
    ...loadBalancing(service, rule),
    commonLbConfig: { healthyPanicThreshold: {} },
    ...(port.protocol === "http2" ? http2() : {}),
    ...transport(model, service, port, subset, rule),
  };
}

function discovery(
  service: Service,
  port: ServicePort,
  name: string,
  subset: string,
  rule: DestinationRuleSpec | undefined,
): Partial<ClusterJson> {
  switch (service.resolution) {
    case "STATIC":
      return {
        type: "EDS",
        edsClusterConfig: { edsConfig: { ads: {}, resourceApiVersion: "V3" }, serviceName: name },
      };
    case "DNS": {
      const labels = rule?.subsets?.find((candidate) => candidate.name === subset)?.labels ?? {};
      const endpoints = service.endpoints.filter((endpoint) => selects(labels, endpoint.labels));
      return {
        type: "STRICT_DNS",
        dnsLookupFamily: "V4_ONLY",
        dnsRefreshRate: "60s",
        respectDnsTtl: true,
        loadAssignment: assignment(service, port, subset, endpoints),
      };
    }
    case "NONE":
      return { type: "ORIGINAL_DST" };
  }
}

function loadBalancing(service: Service, rule: DestinationRuleSpec | undefined): Partial<ClusterJson> {
  if (service.resolution === "NONE") return { lbPolicy: "CLUSTER_PROVIDED" };
  return { lbPolicy: rule?.trafficPolicy?.loadBalancer?.simple ?? "LEAST_REQUEST" };
}

function http2(): Partial<ClusterJson> {
  return {
    typedExtensionProtocolOptions: {
      [protocolOptions]: packed(HttpProtocolOptionsSchema, {
        explicitHttpConfig: { http2ProtocolOptions: {} },
      }),
    },
  };
}

/** Mutual TLS to every endpoint that has an identity, unless a DestinationRule decides otherwise. */
function transport(
  model: Model,
  service: Service,
  port: ServicePort,
  subset: string,
  rule: DestinationRuleSpec | undefined,
): Partial<ClusterJson> {
  const mode = rule?.trafficPolicy?.tls?.mode;
  const identities = service.endpoints
    .filter(({ serviceAccount }) => serviceAccount !== "")
    .flatMap(({ namespace, serviceAccount }) =>
      model.settings.trustDomains.map((domain) => workloadId(domain, namespace, serviceAccount)),
    );
  const socket = clientTls({
    sni: serverName(service.host, port.number, subset),
    identities: [...new Set(identities)],
    http2: port.protocol === "http2",
  });
  if (mode === "DISABLE") return {};
  if (mode === "ISTIO_MUTUAL") return { transportSocket: socket };
  if (identities.length === 0) return {};
  return {
    transportSocketMatches: [
      { name: "tlsMode-istio", match: { tlsMode: "istio" }, transportSocket: socket },
      {
        name: "tlsMode-disabled",
        match: {},
        transportSocket: {
          name: "envoy.transport_sockets.raw_buffer",
          typedConfig: packed(RawBufferSchema, {}),
        },
      },
    ],
  };
}

function assignment(
  service: Service,
  port: ServicePort,
  subset: string,
  endpoints: readonly Endpoint[],
): ClusterLoadAssignmentJson {
  // A name among the addresses of EDS is refused by Envoy with all that is pushed beside it.
  const usable = endpoints.filter(
    ({ isHealthy, address }) => isHealthy && (service.resolution === "DNS" || isAddress(address)),
  );
  const bounded = weightBound(usable.map(({ weight }) => weight));
  const weights = usable.map(({ weight }) => bounded(weight));
  const lbEndpoints = usable.map((endpoint) => lbEndpoint(endpoint, port, bounded(endpoint.weight)));
  const localities: LocalityLbEndpointsJson[] =
    lbEndpoints.length === 0
      ? []
      : [
          {
            locality: {},
            loadBalancingWeight: weights.reduce((sum, weight) => sum + weight, 0),
            lbEndpoints,
          },
        ];
  return { clusterName: outboundCluster(service.host, port.number, subset), endpoints: localities };
}

/** Weights from 1 on whose sum Envoy can hold, in the same proportions as far as that allows. */
export function boundedWeights(weights: readonly number[]): readonly number[] {
  return weights.map(weightBound(weights));
}

/** What one of these weights becomes. */
function weightBound(weights: readonly number[]): (weight: number) => number {
  const sum = weights.reduce((total, weight) => total + Math.max(1, weight), 0);
  const share = sum <= unlimited ? 1 : (unlimited - weights.length) / sum;
  return (weight) => Math.max(1, Math.floor(weight * share));
}

function lbEndpoint(
  endpoint: Endpoint,
  port: ServicePort,
  weight: number,
): NonNullable<LocalityLbEndpointsJson["lbEndpoints"]>[number] {
  const match = { tlsMode: "istio" };
  return {
    endpoint: { address: socketAddress(endpoint.address, portOf(endpoint, port)) },
    loadBalancingWeight: weight,
    ...(endpoint.serviceAccount === ""
      ? {}
      : { metadata: { filterMetadata: { "envoy.transport_socket_match": match } } }),
  };
}

/** A TCP address. */
export function socketAddress(address: string, portValue: number): AddressJson {
  return { socketAddress: { address, portValue } };
}

/** Cluster of a Sidecar's ingress: a fixed endpoint of the application. */
export function defaultEndpointCluster(
  name: string,
  defaultEndpoint: string,
  http2Upstream: boolean,
): ClusterJson {
  const { host, port } = parseHostPort(defaultEndpoint) ?? { host: "", port: 0 };
  const address: AddressJson = defaultEndpoint.startsWith("unix:")
    ? { pipe: { path: defaultEndpoint.slice("unix:".length) } }
    : socketAddress(host === "0.0.0.0" ? "127.0.0.1" : host, port);
  return {
    ...defaults,
    name,
    altStatName: `${name};`,
    type: "STATIC",
    ...(http2Upstream ? http2() : {}),
    loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints: [{ endpoint: { address } }] }] },
  };
}

/** Cluster of a captured inbound port: the application at the address that was called. */
export function capturedInboundCluster(
  name: string,
  http2Upstream: boolean,
  from: Pick<ClusterJson, "upstreamBindConfig">,
): ClusterJson {
  return {
    ...inboundPassthroughCluster(from),
    name,
    altStatName: `${name};`,
    // Never cleaned up: connections to the application may be idle for long.
    cleanupInterval: "9223372035s",
    ...(http2Upstream ? http2() : {}),
  };
}
