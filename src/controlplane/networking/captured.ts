/**
 * Listeners of a sidecar whose traffic is captured (INTERCEPTION_MODE REDIRECT or TPROXY): 15001 outbound, 15006 inbound.
 */
import type { ListenerJson } from "../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import { HttpInspectorSchema } from "../../proto/envoy/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
import { OriginalDstSchema } from "../../proto/envoy/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js";
import { OriginalSrcSchema } from "../../proto/envoy/envoy/extensions/filters/listener/original_src/v3/original_src_pb.js";
import { TlsInspectorSchema } from "../../proto/envoy/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import type { ListenerFilterJson } from "../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import type { Service } from "../model/model.ts";
import type { Proxy } from "../model/proxy.ts";
import { packed } from "./any.ts";
import { onEveryAddress, wildcards } from "./captured-addresses.ts";
import { socketAddress } from "./clusters.ts";
import { outboundHttp, tcpProxy } from "./filters.ts";
import { type InboundPort, inboundChains, passthroughChains, type UndeclaredPorts } from "./inbound.ts";
import { isHttp, outboundCluster } from "./names.ts";

const outboundPort = 15001;
const inboundPort = 15006;

/** Istio's `--istio-inbound-tproxy-mark`, which its rules know the way back of TPROXY's connections by. */
const tproxyMark = 1_337;

/** Listener filter that tells TLS from plain text. */
export const tlsInspector: ListenerFilterJson = {
  name: "envoy.filters.listener.tls_inspector",
  typedConfig: packed(TlsInspectorSchema, {}),
};

/** Calls the application from the caller's own address: Envoy needs NET_ADMIN. */
const originalSource: ListenerFilterJson = {
  name: "envoy.filters.listener.original_src",
  typedConfig: packed(OriginalSrcSchema, { mark: tproxyMark }),
};

/** A socket of connections to other addresses than its own (IP_TRANSPARENT): Envoy needs NET_ADMIN. */
function transparency({ interceptionMode }: Proxy): Pick<ListenerJson, "transparent"> {
  return interceptionMode === "TPROXY" ? { transparent: true } : {};
}

/** The listener that captured outbound connections reach, which hands them to the listener of their destination. */
export function virtualOutbound(proxy: Proxy, allowAny: boolean): ListenerJson {
  return {
    name: "virtualOutbound",
    ...onEveryAddress(proxy, outboundPort),
    trafficDirection: "OUTBOUND",
    ...transparency(proxy),
    useOriginalDst: true,
    maxConnectionsToAcceptPerSocketEvent: 1,
    filterChains: [
      {
        name: "virtualOutbound-blackhole",
        // A connection to the listener's own port would come back to it for ever.
        filterChainMatch: { destinationPort: outboundPort },
        filters: [tcpProxy("BlackHoleCluster")],
      },
      {
        name: "virtualOutbound-catchall-tcp",
        filters: [tcpProxy(allowAny ? "PassthroughCluster" : "BlackHoleCluster")],
      },
    ],
  };
}

/** The listener that captured inbound connections reach, with the chains of each port and of all the others. */
export function virtualInbound(
  proxy: Proxy,
  ports: readonly InboundPort[],
  undeclared: readonly UndeclaredPorts[],
): ListenerJson {
  return {
    name: "virtualInbound",
    ...onEveryAddress(proxy, inboundPort),
    trafficDirection: "INBOUND",
    ...transparency(proxy),
    maxConnectionsToAcceptPerSocketEvent: 1,
    listenerFilters: [
      { name: "envoy.filters.listener.original_dst", typedConfig: packed(OriginalDstSchema, {}) },
      ...(proxy.interceptionMode === "TPROXY" ? [originalSource] : []),
      tlsInspector,
      { name: "envoy.filters.listener.http_inspector", typedConfig: packed(HttpInspectorSchema, {}) },
    ],
    listenerFiltersTimeout: "0s",
    continueOnListenerFiltersTimeout: true,
    filterChains: [
      {
        name: "virtualInbound-blackhole",
        filterChainMatch: { destinationPort: inboundPort },
        filters: [tcpProxy("BlackHoleCluster")],
      },
      ...undeclared.flatMap(passthroughChains),
      ...ports.flatMap(inboundChains),
    ],
  };
}

/** One listener per HTTP port number, one per address and TCP port. None of them binds. */
export function capturedOutbound(proxy: Proxy, services: readonly Service[]): readonly ListenerJson[] {
  const [wildcard] = wildcards(proxy);
  const httpPorts = new Set(
    services.flatMap(({ ports }) => ports.filter(isHttp).map(({ number }) => number)),
  );
  const http = [...httpPorts]
    .toSorted((a, b) => a - b)
    .map((port) =>
      unbound(`${wildcard}_${port}`, onEveryAddress(proxy, port), [
        { filters: [outboundHttp(`outbound_${wildcard}_${port};`, String(port))] },
      ]),
    );
  const tcp = services.flatMap(({ host, addresses, ports }) =>
    ports
      .filter((port) => !isHttp(port))
      .flatMap(({ number }) =>
        addresses.map((address) =>
          unbound(`${address}_${number}`, { address: socketAddress(address, number) }, [
            { filters: [tcpProxy(outboundCluster(host, number))] },
          ]),
        ),
      ),
  );
  return [...http, ...tcp];
}

function unbound(
  name: string,
  where: Pick<ListenerJson, "address" | "additionalAddresses">,
  filterChains: NonNullable<ListenerJson["filterChains"]>,
): ListenerJson {
  return {
    name,
    ...where,
    trafficDirection: "OUTBOUND",
    bindToPort: false,
    listenerFiltersTimeout: "0s",
    continueOnListenerFiltersTimeout: true,
    filterChains,
  };
}
