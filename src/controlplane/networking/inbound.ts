/**
 * What a sidecar accepts: the filter chains of a port by mutual TLS mode and protocol.
 *
 * Without Istio's own ALPN filter on the client side, mutual TLS is recognised by the ALPN `istio` that the client's
 * Envoy offers.
 */
import type {
  FilterChainJson,
  FilterChainMatchJson,
  FilterJson,
} from "../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import type { MutualTlsMode } from "../config/objects.ts";
import type { Protocol } from "../model/model.ts";
import { inboundHttp, tcpProxy } from "./filters.ts";
import { inboundCluster } from "./names.ts";
import { serverTls } from "./tls.ts";

/** A port that the sidecar serves. */
export interface InboundPort {
  /** Port of the listener, or of the connection where traffic is captured. */
  readonly port: number;
  readonly protocol: Protocol;
  readonly mode: MutualTlsMode;
  readonly trustDomain: string;
  /** Chains are told apart by the connection's port on a listener that captures. */
  readonly isCaptured: boolean;
}

const mutualTlsAlpn = ["istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2"];

/** The chains of one port, in order. */
export function inboundChains(port: InboundPort): readonly FilterChainJson[] {
  const filters = [inboundFilter(port)];
  const secured = { filters, transportSocket: serverTls(port.trustDomain) };
  const tls: FilterChainMatchJson = { transportProtocol: "tls" };
  const name = `0.0.0.0_${port.port}`;
  const chain = (match: FilterChainMatchJson, rest: Partial<FilterChainJson>): FilterChainJson => ({
    name,
    filterChainMatch: { ...(port.isCaptured ? { destinationPort: port.port } : {}), ...match },
    ...rest,
  });
  switch (port.mode) {
    case "STRICT":
      return [chain(tls, secured)];
    case "DISABLE":
      return [chain({ transportProtocol: "raw_buffer" }, { filters })];
    case "PERMISSIVE":
      return [
        chain({ ...tls, applicationProtocols: mutualTlsAlpn }, secured),
        ...(port.protocol === "tcp" ? [chain(tls, { filters: [tcpProxy(inboundCluster(port.port))] })] : []),
        chain({ transportProtocol: "raw_buffer" }, { filters }),
      ];
  }
}

function inboundFilter({ port, protocol }: InboundPort): FilterJson {
  const cluster = inboundCluster(port);
  if (protocol === "tcp") return tcpProxy(cluster);
  return inboundHttp(`inbound_0.0.0.0_${port};`, {
    name: cluster,
    validateClusters: false,
    virtualHosts: [
      {
        name: `inbound|http|${port}`,
        domains: ["*"],
        routes: [
          {
            name: "default",
            match: { prefix: "/" },
            route: {
              cluster,
              timeout: "0s",
              // The application may close an idle connection just as a request goes out: that one is safe to repeat.
              retryPolicy: { retryOn: "reset-before-request", numRetries: 2 },
            },
            decorator: { operation: `:${port}/*` },
          },
        ],
      },
    ],
  });
}
