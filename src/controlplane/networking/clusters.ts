/**
 * Clusters that every proxy has, and those of its own application.
 */
import type { ClusterJson } from "../../proto/envoy/envoy/config/cluster/v3/cluster_pb.js";
import type { AddressJson } from "../../proto/envoy/envoy/config/core/v3/address_pb.js";
import { parseHostPort } from "../../net/host-port.ts";
import { unixPrefix } from "../config/forms.ts";
import { byDownstreamProtocol, http2Only } from "./http-options.ts";
import { socketAddress } from "./load-assignment.ts";

/** Envoy's greatest number of anything: no limit. */
export const unlimited = 4_294_967_295;

/** What holds unless a DestinationRule says otherwise. */
export const defaults: ClusterJson = {
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

/** Cluster without endpoints: what leads here fails at once. */
export const blackHoleCluster: ClusterJson = {
  name: "BlackHoleCluster",
  type: "STATIC",
  connectTimeout: "10s",
};

/** Cluster that goes where the application wanted to go, with the protocol that it spoke. */
export const passthroughCluster: ClusterJson = {
  ...defaults,
  name: "PassthroughCluster",
  type: "ORIGINAL_DST",
  lbPolicy: "CLUSTER_PROVIDED",
  ...byDownstreamProtocol({ idleTimeout: "300s" }),
};

/** The same for inbound traffic; its source address keeps it from being captured again. */
export function inboundPassthroughCluster(from: Pick<ClusterJson, "upstreamBindConfig">): ClusterJson {
  return { ...passthroughCluster, name: "InboundPassthroughCluster", ...from };
}

/** Cluster of a Sidecar's ingress: a fixed endpoint of the application. */
export function defaultEndpointCluster(
  name: string,
  defaultEndpoint: string,
  http2Upstream: boolean,
): ClusterJson {
  const { host, port } = parseHostPort(defaultEndpoint) ?? { host: "", port: 0 };
  const address: AddressJson = defaultEndpoint.startsWith(unixPrefix)
    ? { pipe: { path: defaultEndpoint.slice(unixPrefix.length) } }
    : socketAddress(host === "0.0.0.0" ? "127.0.0.1" : host, port);
  return {
    ...defaults,
    name,
    altStatName: `${name};`,
    type: "STATIC",
    ...(http2Upstream ? http2Only() : {}),
    loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints: [{ endpoint: { address } }] }] },
  };
}

/** Cluster of a captured inbound port: the application at the address that was called. */
export function capturedInboundCluster(
  name: string,
  protocol: "http2" | "auto" | "other",
  from: Pick<ClusterJson, "upstreamBindConfig">,
): ClusterJson {
  return {
    ...defaults,
    type: "ORIGINAL_DST",
    lbPolicy: "CLUSTER_PROVIDED",
    ...from,
    name,
    altStatName: `${name};`,
    // Never cleaned up: connections to the application may be idle for long.
    cleanupInterval: "9223372035s",
    ...(protocol === "http2" ? http2Only() : {}),
    ...(protocol === "auto" ? byDownstreamProtocol() : {}),
  };
}
