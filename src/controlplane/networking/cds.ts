/**
 * The clusters of one proxy (CDS).
 */
import type { ClusterJson } from "../../proto/envoy/envoy/config/cluster/v3/cluster_pb.js";
import { ingressCluster } from "./bound.ts";
import { fromPassthroughAddress } from "./captured-addresses.ts";
import {
  blackHoleCluster,
  capturedInboundCluster,
  inboundPassthroughCluster,
  passthroughCluster,
} from "./clusters.ts";
import { inboundPorts } from "./inbound-ports.ts";
import type { Protocol } from "../model/model.ts";
import { inboundCluster, isHttp2 } from "./names.ts";
import { outboundClusters } from "./outbound-clusters.ts";
import type { ProxyView } from "./view.ts";

/** Those for what the application calls, and for the application itself. */
export function generateClusters(view: ProxyView): readonly ClusterJson[] {
  const { type, interceptionMode } = view.proxy;
  // Of nodes that are no sidecar only a gateway calls services.
  if (type === "other") return [];
  if (type === "router")
    return [blackHoleCluster, ...view.services.flatMap((service) => outboundClusters(view, service))];
  return [
    ...(interceptionMode === "NONE" ? boundClusters(view) : capturedClusters(view)),
    ...view.services.flatMap((service) => outboundClusters(view, service)),
  ];
}

function boundClusters({ sidecar }: ProxyView): readonly ClusterJson[] {
  return [blackHoleCluster, ...(sidecar?.ingress ?? []).map(ingressCluster)];
}

function capturedClusters(view: ProxyView): readonly ClusterJson[] {
  const ingress = view.sidecar?.ingress;
  const from = fromPassthroughAddress(view.proxy);
  return [
    blackHoleCluster,
    passthroughCluster,
    inboundPassthroughCluster(from),
    ...(ingress === undefined
      ? inboundPorts(view).map(({ port, protocol }) =>
          capturedInboundCluster(inboundCluster(port), spoken(protocol), from),
        )
      : ingress.map(ingressCluster)),
  ];
}

function spoken(protocol: Protocol): "http2" | "auto" | "other" {
  if (isHttp2({ protocol })) return "http2";
  return protocol === "auto" ? "auto" : "other";
}
