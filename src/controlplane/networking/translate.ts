/**
 * The model as one proxy gets it: a pure function from the mesh to Envoy's resources.
 */
import type { ClusterJson } from "../../proto/envoy/envoy/config/cluster/v3/cluster_pb.js";
import type { ClusterLoadAssignmentJson } from "../../proto/envoy/envoy/config/endpoint/v3/endpoint_pb.js";
import type { ListenerJson } from "../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import type { RouteConfigurationJson } from "../../proto/envoy/envoy/config/route/v3/route_pb.js";
import type { DestinationRuleSpec, SidecarSpec } from "../config/objects.ts";
import { protocolOf } from "../model/build-model.ts";
import { type Model, mutualTlsMode, portsWithOwnMode, type Protocol, type Service } from "../model/model.ts";
import { type Proxy, sidecarOf } from "../model/proxy.ts";
import { boundInbound, boundOutbound, ingressCluster } from "./bound.ts";
import { capturedOutbound, virtualInbound, virtualOutbound } from "./captured.ts";
import {
  blackHoleCluster,
  capturedInboundCluster,
  inboundPassthroughCluster,
  loadAssignments,
  outboundClusters,
  passthroughCluster,
} from "./clusters.ts";
import type { InboundPort, UndeclaredPorts } from "./inbound.ts";
import { inboundCluster, isHttp } from "./names.ts";
import { routeConfiguration } from "./routes.ts";
import { visibleServices } from "./visibility.ts";

/** Everything that one proxy is told. */
export interface Resources {
  readonly clusters: readonly ClusterJson[];
  readonly endpoints: readonly ClusterLoadAssignmentJson[];
  readonly listeners: readonly ListenerJson[];
  readonly routes: readonly RouteConfigurationJson[];
}

/** Translate. Equal inputs give equal outputs. */
export function translate(model: Model, proxy: Proxy): Resources {
  const sidecar = sidecarOf(model, proxy);
  const services = visibleServices(model, proxy, sidecar);
  const rules = new Map(services.map((service) => [service, destinationRule(model, service)]));
  const outbound = {
    clusters: services.flatMap((service) => outboundClusters(model, service, rules.get(service))),
    endpoints: services.flatMap((service) => loadAssignments(service, rules.get(service))),
  };
  const rest = proxy.capturesNothing
    ? translateBound(model, proxy, sidecar)
    : translateCaptured(model, proxy, sidecar, services);
  return { ...rest, clusters: [...rest.clusters, ...outbound.clusters], endpoints: outbound.endpoints };
}

type PartOfResources = Pick<Resources, "clusters" | "listeners" | "routes">;

function translateBound(model: Model, proxy: Proxy, sidecar: SidecarSpec | undefined): PartOfResources {
  const ingress = sidecar?.ingress ?? [];
  const outbound = boundOutbound(model, proxy, sidecar);
  return {
    clusters: [blackHoleCluster, ...ingress.map(ingressCluster)],
    listeners: [
      ...ingress.map((entry) => boundInbound(model, proxy, entry)),
      ...outbound.map(({ listener }) => listener),
    ],
    routes: outbound.flatMap(({ routes }) =>
      routes === undefined
        ? []
        : // Nothing is captured, so there is no original destination to pass an unknown host on to.
          [
            routeConfiguration(routes.name, routes.routed, {
              model,
              namespace: proxy.namespace,
              fallback: "block",
            }),
          ],
    ),
  };
}

function translateCaptured(
  model: Model,
  proxy: Proxy,
  sidecar: SidecarSpec | undefined,
  services: readonly Service[],
): PartOfResources {
  const allowAny = sidecar?.outboundTrafficPolicy?.mode !== "REGISTRY_ONLY";
  const ports = inboundPorts(model, proxy, sidecar);
  const httpPorts = new Set(
    services.flatMap((service) => service.ports.filter(isHttp).map(({ number }) => number)),
  );
  return {
    clusters: [
      blackHoleCluster,
      passthroughCluster,
      inboundPassthroughCluster,
      ...(sidecar?.ingress === undefined
        ? ports.map(({ port, protocol }) =>
            capturedInboundCluster(inboundCluster(port), protocol === "http2"),
          )
        : sidecar.ingress.map(ingressCluster)),
    ],
    listeners: [
      virtualOutbound(allowAny),
      ...capturedOutbound(services),
      virtualInbound(ports, undeclaredPorts(model, proxy, ports)),
    ],
    routes: [...httpPorts].map((number) => {
      const routed = services.flatMap((service) =>
        service.ports
          .filter((port) => isHttp(port) && port.number === number)
          .map((port) => ({ service, port })),
      );
      const fallback = allowAny ? "passthrough" : "block";
      return routeConfiguration(String(number), routed, { model, namespace: proxy.namespace, fallback });
    }),
  };
}

/** Ports of the Sidecar's ingress, else those of the services whose endpoint the proxy is. */
function inboundPorts(model: Model, proxy: Proxy, sidecar: SidecarSpec | undefined): readonly InboundPort[] {
  const found = new Map<number, Protocol>();
  if (sidecar?.ingress !== undefined) {
    for (const { port } of sidecar.ingress) found.set(port.number, protocolOf(port.protocol));
  } else {
    for (const { endpoints, ports } of model.services) {
      for (const endpoint of endpoints.filter(({ address }) => proxy.addresses.includes(address))) {
        for (const { name, targetPort, protocol } of ports)
          found.set(endpoint.ports[name] ?? targetPort, protocol);
      }
    }
  }
  return [...found].map(([port, protocol]) => ({
    port,
    protocol,
    mode: mutualTlsMode(model, proxy, port),
    trustDomains: model.settings.trustDomains,
    isCaptured: true,
  }));
}

/** All other ports by the workload's mode, and those for which a policy has one of their own. */
function undeclaredPorts(
  model: Model,
  proxy: Proxy,
  declared: readonly InboundPort[],
): readonly UndeclaredPorts[] {
  const { trustDomains } = model.settings;
  const known = new Set(declared.map(({ port }) => port));
  const named = portsWithOwnMode(model, proxy).filter((port) => !known.has(port));
  return [undefined, ...named].map((port) => ({
    port,
    mode: mutualTlsMode(model, proxy, port),
    trustDomains,
  }));
}

function destinationRule(model: Model, service: Service): DestinationRuleSpec | undefined {
  return model.destinationRules.find(({ spec }) => spec.host === service.host)?.spec;
}
