/**
 * AUTO_PASSTHROUGH: mutual TLS between workloads passes a gateway as it is, to the cluster that its server name says.
 */
import type { ClusterJson } from "../../../proto/envoy/envoy/config/cluster/v3/cluster_pb.js";
import type { ClusterLoadAssignmentJson } from "../../../proto/envoy/envoy/config/endpoint/v3/endpoint_pb.js";
import type { FilterChainJson } from "../../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import { isHostNamed } from "../../config/host-names.ts";
import type { Service, ServicePort } from "../../model/model.ts";
import { tcpProxy } from "../filters.ts";
import { mutualAlpn } from "../inbound.ts";
import { assignment, takesMutualTls } from "../load-assignment.ts";
import { serverName } from "../names.ts";
import { passedCluster } from "../outbound-clusters.ts";
import type { ProxyView } from "../view.ts";
import { type GatewayServer, gatewayPorts } from "./servers.ts";

/** A cluster that is known by the server name of mutual TLS to it. */
interface Passed {
  readonly service: Service;
  readonly port: ServicePort;
  readonly subset: string;
  readonly name: string;
}

/** A chain for each port and subset of the services of the mesh that the server's hosts name. */
export function autoPassthroughChains(view: ProxyView, server: GatewayServer): readonly FilterChainJson[] {
  return passedBy(view, [server]).map(({ name }) => ({
    filterChainMatch: { serverNames: [name.toLowerCase()], applicationProtocols: [...mutualAlpn] },
    filters: [tcpProxy(name)],
  }));
}

/** The clusters of all of these chains. */
export function sniClusters(view: ProxyView): readonly ClusterJson[] {
  return passedBy(view, autoPassthroughServers(view)).map(({ service, port, subset, name }) =>
    passedCluster(view, service, port, subset, name),
  );
}

/** Their endpoints: those only that take mutual TLS, for nothing else gets through. */
export function sniEndpoints(view: ProxyView): readonly ClusterLoadAssignmentJson[] {
  const { model, ruleOf } = view;
  return passedBy(view, autoPassthroughServers(view)).flatMap(({ service, port, subset, name }) => {
    if (service.resolution !== "STATIC") return [];
    const endpoints = service.endpoints.filter((endpoint) => takesMutualTls(model, endpoint, port));
    const { endpoints: localities } = assignment(
      { peers: model.peers, place: view.proxy },
      { ...service, endpoints },
      port,
      subset,
      ruleOf(service),
    );
    return [{ clusterName: name, ...(localities === undefined ? {} : { endpoints: localities }) }];
  });
}

function autoPassthroughServers(view: ProxyView): readonly GatewayServer[] {
  return gatewayPorts(view)
    .flatMap(({ servers }) => servers)
    .filter(({ spec }) => spec.tls?.mode === "AUTO_PASSTHROUGH");
}

function passedBy(view: ProxyView, servers: readonly GatewayServer[]): readonly Passed[] {
  const hosts = servers.flatMap((server) => server.hosts.map(({ host }) => host));
  return view.services
    .filter((service) => !service.isExternal && hosts.some((host) => isHostNamed(service.host, host)))
    .flatMap((service) =>
      service.ports.flatMap((port) =>
        ["", ...(view.ruleOf(service)?.subsets ?? []).map(({ name }) => name)].map((subset) => ({
          service,
          port,
          subset,
          name: serverName(service.host, port.number, subset),
        })),
      ),
    );
}
