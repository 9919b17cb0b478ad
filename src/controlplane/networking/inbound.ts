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
  /** Peers of these are let in. */
  readonly trustDomains: readonly string[];
  /** Chains are told apart by the connection's port on a listener that captures. */
  readonly isCaptured: boolean;
}

/** Ports that nothing declares: all of them, or the one that a policy names. */
export interface UndeclaredPorts {
  readonly port: number | undefined;
  readonly mode: MutualTlsMode;
  readonly trustDomains: readonly string[];
}

const mutualTlsAlpn = ["istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2"];

/** The chains of one port, in order. */
export function inboundChains(port: InboundPort): readonly FilterChainJson[] {
  return chainsByMode({
    name: `0.0.0.0_${port.port}`,
    destinationPort: port.isCaptured ? port.port : undefined,
    filter: inboundFilter(port),
    takesForeignTls: port.protocol === "tcp",
    mode: port.mode,
    trustDomains: port.trustDomains,
  });
}

/** The chains of captured connections to ports that nothing declares: they obey the same policies. */
export function passthroughChains({ port, mode, trustDomains }: UndeclaredPorts): readonly FilterChainJson[] {
  return chainsByMode({
    name: port === undefined ? "virtualInbound" : `virtualInbound_${port}`,
    destinationPort: port,
    filter: tcpProxy("InboundPassthroughCluster"),
    takesForeignTls: true,
    mode,
    trustDomains,
  });
}

interface ChainOptions {
  readonly name: string;
  readonly destinationPort: number | undefined;
  readonly filter: FilterJson;
  /** TLS that is not the mesh's is the application's own, and passes as it is where the mode allows plain text. */
  readonly takesForeignTls: boolean;
  readonly mode: MutualTlsMode;
  readonly trustDomains: readonly string[];
}

/** Without a chain that fits, Envoy closes a connection. */
function chainsByMode(options: ChainOptions): readonly FilterChainJson[] {
  const { name, destinationPort, mode } = options;
  const filters = [options.filter];
  const secured = { filters, transportSocket: serverTls(options.trustDomains) };
  const tls: FilterChainMatchJson = { transportProtocol: "tls" };
  const chain = (match: FilterChainMatchJson, rest: Partial<FilterChainJson>): FilterChainJson => ({
    name,
    filterChainMatch: { ...(destinationPort === undefined ? {} : { destinationPort }), ...match },
    ...rest,
  });
  switch (mode) {
    case "STRICT":
      return [chain(tls, secured)];
    case "DISABLE":
      // The TLS inspector looks at every port, so what the application itself secures must match as well.
      return [chain(options.takesForeignTls ? {} : { transportProtocol: "raw_buffer" }, { filters })];
    case "PERMISSIVE":
      return [
        chain({ ...tls, applicationProtocols: mutualTlsAlpn }, secured),
        ...(options.takesForeignTls ? [chain(tls, { filters })] : []),
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
