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
  outboundClusters,
  passthroughCluster,
} from "./clusters.ts";
import { inboundPorts } from "./inbound-ports.ts";
import { inboundCluster } from "./names.ts";
import type { ProxyView } from "./view.ts";

/** Those for what the application calls, and for the application itself. */
export function generateClusters(view: ProxyView): readonly ClusterJson[] {
  const { model, services, ruleOf } = view;
  return [
    ...(view.proxy.interceptionMode === "NONE" ? boundClusters(view) : capturedClusters(view)),
    ...services.flatMap((service) => outboundClusters(model, service, ruleOf(service))),
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
          capturedInboundCluster(inboundCluster(port), protocol === "http2", from),
        )
      : ingress.map(ingressCluster)),
  ];
}
