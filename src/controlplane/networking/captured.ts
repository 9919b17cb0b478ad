/**
 * Listeners of a sidecar whose traffic is captured (INTERCEPTION_MODE REDIRECT): 15001 outbound, 15006 inbound.
 */
import type { ListenerJson } from "../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import { HttpInspectorSchema } from "../../proto/envoy/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
import { OriginalDstSchema } from "../../proto/envoy/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js";
import { TlsInspectorSchema } from "../../proto/envoy/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import type { ListenerFilterJson } from "../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import type { Service } from "../model/model.ts";
import { packed } from "./any.ts";
import { socketAddress } from "./clusters.ts";
import { outboundHttp, tcpProxy } from "./filters.ts";
import { type InboundPort, inboundChains, passthroughChains, type UndeclaredPorts } from "./inbound.ts";
import { isHttp, outboundCluster } from "./names.ts";

const outboundPort = 15001;
const inboundPort = 15006;

/** Listener filter that tells TLS from plain text. */
export const tlsInspector: ListenerFilterJson = {
  name: "envoy.filters.listener.tls_inspector",
  typedConfig: packed(TlsInspectorSchema, {}),
};

/** The listener that captured outbound connections reach, which hands them to the listener of their destination. */
export function virtualOutbound(allowAny: boolean): ListenerJson {
  return {
    name: "virtualOutbound",
    address: socketAddress("0.0.0.0", outboundPort),
    trafficDirection: "OUTBOUND",
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
  ports: readonly InboundPort[],
  undeclared: readonly UndeclaredPorts[],
): ListenerJson {
  return {
    name: "virtualInbound",
    address: socketAddress("0.0.0.0", inboundPort),
    trafficDirection: "INBOUND",
    maxConnectionsToAcceptPerSocketEvent: 1,
    listenerFilters: [
      { name: "envoy.filters.listener.original_dst", typedConfig: packed(OriginalDstSchema, {}) },
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
export function capturedOutbound(services: readonly Service[]): readonly ListenerJson[] {
  const httpPorts = new Set(
    services.flatMap(({ ports }) => ports.filter(isHttp).map(({ number }) => number)),
  );
  const http = [...httpPorts]
    .toSorted((a, b) => a - b)
    .map((port) =>
      unbound("0.0.0.0", port, [{ filters: [outboundHttp(`outbound_0.0.0.0_${port};`, String(port))] }]),
    );
  const tcp = services.flatMap(({ host, addresses, ports }) =>
    ports
      .filter((port) => !isHttp(port))
      .flatMap(({ number }) =>
        addresses.map((address) =>
          unbound(address, number, [{ filters: [tcpProxy(outboundCluster(host, number))] }]),
        ),
      ),
  );
  return [...http, ...tcp];
}

function unbound(
  address: string,
  port: number,
  filterChains: NonNullable<ListenerJson["filterChains"]>,
): ListenerJson {
  return {
    name: `${address}_${port}`,
    address: socketAddress(address, port),
    trafficDirection: "OUTBOUND",
    bindToPort: false,
    listenerFiltersTimeout: "0s",
    continueOnListenerFiltersTimeout: true,
    filterChains,
  };
}
