/**
 * What a sidecar accepts: the filter chains of a port by mutual TLS mode and protocol.
 *
 * Without Istio's own ALPN filter on the client side, mutual TLS is recognised by the ALPN `istio` that the client's
 * Envoy offers; what is inside is known where the port says it, and found out where the connection is plain text.
 */
import type {
  FilterChainJson,
  FilterChainMatchJson,
  FilterJson,
} from "../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import type { MutualTlsMode } from "../config/objects.ts";
import type { Protocol } from "../model/model.ts";
import { type HttpFilter, inboundHttp, tcpProxy } from "./filters.ts";
import { inboundCluster, isHttp, isHttp2 } from "./names.ts";
import { serverTls } from "./tls.ts";

/** What is done with everything that comes in. */
export interface InboundPolicies {
  /** Peers of these are let in. */
  readonly trustDomains: readonly string[];
  /** Filters of a port of the workload or the gateway; 0 for ports that nothing declares. */
  readonly at: (port: number) => PortFilters;
}

/** Filters that come before all others. */
export interface PortFilters {
  /** Of requests. */
  readonly http: readonly HttpFilter[];
  /** Of the connections that requests come by. */
  readonly beforeHttp: readonly FilterJson[];
  /** Of other connections. */
  readonly network: readonly FilterJson[];
}

/** A port that the sidecar serves. */
export interface InboundPort {
  /** Port of the listener, or of the connection where traffic is captured. */
  readonly port: number;
  /** The service whose port it is, as traces name it. */
  readonly service: { readonly host: string; readonly port: number } | undefined;
  readonly protocol: Protocol;
  readonly mode: MutualTlsMode;
  /** Chains are told apart by the connection's port on a listener that captures. */
  readonly isCaptured: boolean;
}

/** Ports that nothing declares: all of them, or the one that a policy names. */
export interface UndeclaredPorts {
  readonly port: number | undefined;
  readonly mode: MutualTlsMode;
}

/** ALPN of plain HTTP, as Envoy's HTTP inspector tells it. */
export const plainHttpAlpn = ["http/1.1", "h2c"];

/** ALPN of HTTP in mutual TLS, as Istio's own proxies offer it. */
const mutualHttpAlpn = ["istio-http/1.0", "istio-http/1.1", "istio-h2"];

const mutualTcpAlpn = ["istio-peer-exchange", "istio"];

/** ALPN of everything in mutual TLS. */
export const mutualAlpn = [...mutualTcpAlpn, ...mutualHttpAlpn];

/** The chains of one port, in order. */
export function inboundChains(port: InboundPort, policies: InboundPolicies): readonly FilterChainJson[] {
  const cluster = inboundCluster(port.port);
  const filters = policies.at(port.port);
  return chainsByMode(
    {
      httpName: `0.0.0.0_${port.port}`,
      name: `0.0.0.0_${port.port}`,
      destinationPort: port.isCaptured ? port.port : undefined,
      protocol: port.protocol,
      mode: port.mode,
      // Nobody looks for TLS at a captured port that takes none.
      seesTls: !port.isCaptured,
      http: () => requests(port, cluster, filters),
      tcp: () => [...filters.network, tcpProxy(cluster)],
    },
    policies,
  );
}

/** The chains of captured connections to ports that nothing declares: they obey the same policies. */
export function passthroughChains(
  { port, mode }: UndeclaredPorts,
  policies: InboundPolicies,
): readonly FilterChainJson[] {
  const suffix = port === undefined ? "" : `_${port}`;
  const cluster = "InboundPassthroughCluster";
  const filters = policies.at(port ?? 0);
  return chainsByMode(
    {
      httpName: `virtualInbound-catchall-http${suffix}`,
      name: `virtualInbound${suffix}`,
      destinationPort: port,
      protocol: "auto",
      mode,
      seesTls: port === undefined,
      http: () => requests({ port: 0, protocol: "auto", service: undefined }, cluster, filters),
      tcp: () => [...filters.network, tcpProxy(cluster)],
    },
    policies,
  );
}

interface ChainOptions {
  readonly httpName: string;
  readonly name: string;
  readonly destinationPort: number | undefined;
  readonly protocol: Protocol;
  readonly mode: MutualTlsMode;
  /** Whether TLS is looked for where the mode takes none of the mesh's. */
  readonly seesTls: boolean;
  readonly http: () => readonly FilterJson[];
  readonly tcp: () => readonly FilterJson[];
}

/** Without a chain that fits, Envoy closes a connection. */
function chainsByMode(options: ChainOptions, { trustDomains }: InboundPolicies): readonly FilterChainJson[] {
  const { destinationPort, mode } = options;
  const kind = isHttp(options) ? "http" : options.protocol === "auto" ? "auto" : "tcp";
  const secured = (): Partial<FilterChainJson> => ({ transportSocket: serverTls(trustDomains) });
  const chain =
    (name: string, filters: () => readonly FilterJson[]) =>
    (match: FilterChainMatchJson, rest: Partial<FilterChainJson> = {}): FilterChainJson => ({
      name,
      filterChainMatch: { ...(destinationPort === undefined ? {} : { destinationPort }), ...match },
      filters: [...filters()],
      ...rest,
    });
  const http = chain(options.httpName, options.http);
  const tcp = chain(options.name, options.tcp);
  const tls = (...applicationProtocols: readonly string[]): FilterChainMatchJson => ({
    transportProtocol: "tls",
    ...(applicationProtocols.length === 0 ? {} : { applicationProtocols: [...applicationProtocols] }),
  });
  const plain = { transportProtocol: "raw_buffer" };
  const plainHttp = { ...plain, applicationProtocols: plainHttpAlpn };
  switch (mode) {
    case "STRICT":
      if (kind === "auto") return [http(tls(...mutualHttpAlpn), secured()), tcp(tls(), secured())];
      return [(kind === "http" ? http : tcp)(tls(), secured())];
    case "PERMISSIVE":
      if (kind === "http") return [http(tls(...mutualAlpn), secured()), http(plain)];
      if (kind === "auto") {
        return [
          http(tls(...mutualHttpAlpn), secured()),
          http(plainHttp),
          tcp(tls(...mutualTcpAlpn), secured()),
          tcp(plain),
          tcp(tls()),
        ];
      }
      return [tcp(tls(...mutualAlpn), secured()), tcp(tls()), tcp(plain)];
    case "DISABLE": {
      // What the application itself secures passes as it is.
      const own = options.seesTls ? [tcp(tls())] : [];
      if (kind === "http") return [http(plain)];
      return kind === "auto" ? [http(plainHttp), tcp(plain), ...own] : [tcp(plain), ...own];
    }
  }
}

function requests(
  { port, protocol, service }: Pick<InboundPort, "port" | "protocol" | "service">,
  cluster: string,
  { http, beforeHttp }: PortFilters,
): readonly FilterJson[] {
  const called = service?.port ?? port;
  const isPassthrough = port === 0;
  const filter = inboundHttp(
    isPassthrough ? cluster : `inbound_0.0.0.0_${port};`,
    {
      name: cluster,
      validateClusters: false,
      virtualHosts: [
        {
          name: `inbound|http|${called}`,
          domains: ["*"],
          routes: [
            {
              name: "default",
              match: { prefix: "/" },
              route: {
                cluster,
                timeout: "0s",
                // The deadline that a caller of gRPC names is kept here too, as istiod has it.
                maxStreamDuration: { maxStreamDuration: "0s", grpcTimeoutHeaderMax: "0s" },
                // An idle connection may be closed just as a request goes out: that one is safe to repeat. A call of
                // gRPC is not repeated, for its messages are not kept.
                ...(protocol === "grpc"
                  ? {}
                  : { retryPolicy: { retryOn: "reset-before-request", numRetries: 2 } }),
              },
              decorator: { operation: `${service?.host ?? ""}:${called}/*` },
            },
          ],
        },
      ],
    },
    { isHttp2: isHttp2({ protocol }), first: http },
  );
  return [...beforeHttp, filter];
}
