/**
 * The endpoints of a port and subset of a service, by locality.
 */
import type { AddressJson } from "../../proto/envoy/envoy/config/core/v3/address_pb.js";
import type { LocalityLbEndpointsJson } from "../../proto/envoy/envoy/config/endpoint/v3/endpoint_components_pb.js";
import type { ClusterLoadAssignmentJson } from "../../proto/envoy/envoy/config/endpoint/v3/endpoint_pb.js";
import { isAddress } from "../config/forms.ts";
import {
  type Endpoint,
  type Model,
  mutualTlsMode,
  portOf,
  selects,
  type Service,
  type ServicePort,
} from "../model/model.ts";
import { type AppliedRule, policiesOf } from "./destination-rules.ts";
import { type CallerPlace, placed } from "./locality.ts";
import { outboundCluster } from "./names.ts";

/** Envoy's sum of weights is a uint32. */
const maxWeightSum = 4_294_967_295;

/** What decides on mutual TLS. */
type TlsDecision = Pick<Model, "peers">;

/** What endpoints are made of besides their service and its rule. */
export interface EndpointContext extends TlsDecision {
  readonly place: CallerPlace;
}

/** Endpoints of the clusters that get them by EDS. */
export function loadAssignments(
  model: EndpointContext,
  service: Service,
  rule: AppliedRule | undefined,
): readonly ClusterLoadAssignmentJson[] {
  if (service.resolution !== "STATIC") return [];
  return service.ports.flatMap((port) =>
    ["", ...(rule?.subsets ?? []).map(({ name }) => name)].map((subset) =>
      assignment(model, service, port, subset, rule),
    ),
  );
}

/** Endpoints of one cluster. */
export function assignment(
  model: EndpointContext,
  service: Service,
  port: ServicePort,
  subset: string,
  rule: AppliedRule | undefined,
): ClusterLoadAssignmentJson {
  const usable = usableEndpoints(service, subset, rule);
  const bounded = weightBound(usable.map(({ weight }) => weight));
  const groups = placed(usable, policiesOf(rule, subset, port), model.place);
  const localities = groups.map(({ locality, endpoints, priority, weight }): LocalityLbEndpointsJson => ({
    locality: localityOf(locality),
    loadBalancingWeight: weight ?? endpoints.reduce((sum, each) => sum + bounded(each.weight), 0),
    ...(priority === 0 ? {} : { priority }),
    lbEndpoints: endpoints.map((endpoint) => lbEndpoint(model, endpoint, port, bounded(endpoint.weight))),
  }));
  return { clusterName: outboundCluster(service.host, port.number, subset), endpoints: localities };
}

/** Those that can be called. */
function usableEndpoints(
  service: Service,
  subset: string,
  rule: AppliedRule | undefined,
): readonly Endpoint[] {
  const labels = rule?.subsets.find(({ name }) => name === subset)?.labels ?? {};
  const isByName = service.resolution.startsWith("DNS");
  // A name among the addresses of EDS is refused by Envoy with all that is pushed beside it.
  return service.endpoints.filter(
    (endpoint) =>
      endpoint.isHealthy && (isByName || isAddress(endpoint.address)) && selects(labels, endpoint.labels),
  );
}

/** True for an endpoint behind a sidecar that takes mutual TLS on this port: the client decides as the server does. */
export function takesMutualTls(model: TlsDecision, endpoint: Endpoint, port: ServicePort): boolean {
  return (
    endpoint.serviceAccount !== "" && mutualTlsMode(model, endpoint, portOf(endpoint, port)) !== "DISABLE"
  );
}

/** Weights from 1 on whose sum Envoy can hold, in the same proportions as far as that allows. */
export function boundedWeights(weights: readonly number[]): readonly number[] {
  return weights.map(weightBound(weights));
}

/** What one of these weights becomes. */
function weightBound(weights: readonly number[]): (weight: number) => number {
  const sum = weights.reduce((total, weight) => total + Math.max(1, weight), 0);
  const share = sum <= maxWeightSum ? 1 : (maxWeightSum - weights.length) / sum;
  return (weight) => Math.max(1, Math.floor(weight * share));
}

function localityOf(locality: string): NonNullable<LocalityLbEndpointsJson["locality"]> {
  const [region = "", zone = "", subZone = ""] = locality.split("/");
  return {
    ...(region === "" ? {} : { region }),
    ...(zone === "" ? {} : { zone }),
    ...(subZone === "" ? {} : { subZone }),
  };
}

function lbEndpoint(
  model: TlsDecision,
  endpoint: Endpoint,
  port: ServicePort,
  weight: number,
): NonNullable<LocalityLbEndpointsJson["lbEndpoints"]>[number] {
  const match = { tlsMode: "istio" };
  return {
    endpoint: { address: socketAddress(endpoint.address, portOf(endpoint, port)) },
    loadBalancingWeight: weight,
    ...(takesMutualTls(model, endpoint, port)
      ? { metadata: { filterMetadata: { "envoy.transport_socket_match": match } } }
      : {}),
  };
}

/** A TCP address. */
export function socketAddress(address: string, portValue: number): AddressJson {
  return { socketAddress: { address, portValue } };
}
