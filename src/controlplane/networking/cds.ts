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
import { patchedClusters } from "./envoy-filter/clusters.ts";
import { callerPatches, ownPatches } from "./envoy-filter/for-proxy.ts";
import { sniClusters } from "./gateway/sni-dnat.ts";
import { inboundPorts } from "./inbound-ports.ts";
import type { Protocol } from "../model/model.ts";
import { inboundCluster, isHttp2 } from "./names.ts";
import { outboundClusters } from "./outbound-clusters.ts";
import type { ProxyView, WorkloadView } from "./view.ts";

/** Those for what the application calls. */
export function generateClusters(view: ProxyView): readonly ClusterJson[] {
  const { type } = view.proxy;
  // Of nodes that are no sidecar only a gateway calls services.
  if (type === "other") return [];
  const clusters = [
    ...view.services.flatMap(outboundClusters(view)),
    ...(type === "router" ? sniClusters(view) : []),
  ];
  return patchedClusters(clusters, callerPatches(view));
}

/** Those that every proxy has, and those for the application itself. */
export function generateOwnClusters(view: WorkloadView): readonly ClusterJson[] {
  const { type, interceptionMode } = view.proxy;
  if (type === "other") return [];
  if (type === "router") return [blackHoleCluster];
  const all = interceptionMode === "NONE" ? boundClusters(view) : capturedClusters(view);
  const isInbound = ({ name = "" }: ClusterJson): boolean => /^(?:inbound\||InboundPassthrough)/.test(name);
  const hosts = view.services.map(({ host }) => host);
  // Where what is called goes whatever it is, is a matter of what is called.
  const others = ownPatches(view, "SIDECAR_OUTBOUND");
  return [
    ...patchedClusters(
      all.filter((each) => !isInbound(each)),
      others,
      [],
      false,
    ),
    ...patchedClusters(all.filter(isInbound), ownPatches(view), hosts),
  ];
}

function boundClusters({ sidecar }: WorkloadView): readonly ClusterJson[] {
  return [blackHoleCluster, ...(sidecar?.ingress ?? []).map(ingressCluster)];
}

function capturedClusters(view: WorkloadView): readonly ClusterJson[] {
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
