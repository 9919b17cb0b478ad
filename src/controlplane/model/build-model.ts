/**
 * Configuration objects become the model: a pure function.
 */
import type { ConfigObject, PortSpec, ServiceEntrySpec, WorkloadSpec } from "../config/objects.ts";
import {
  type Endpoint,
  type MeshSettings,
  type Model,
  ofKind,
  type Protocol,
  selects,
  type Service,
  type ServicePort,
} from "./model.ts";

/** Build the model of a valid set of objects. */
export function buildModel(objects: readonly ConfigObject[], settings: MeshSettings): Model {
  const workloads = ofKind(objects, "WorkloadEntry");
  const services = ofKind(objects, "ServiceEntry").flatMap(({ namespace, spec }) => {
    const selected = workloads
      .filter((workload) => workload.namespace === namespace && isSelected(spec, workload.spec))
      .map((workload) => endpoint(workload.spec, namespace, workload.name));
    const endpoints = [...(spec.endpoints ?? []).map((entry) => endpoint(entry, namespace)), ...selected];
    return spec.hosts.map((host): Service => ({
      host,
      namespace,
      addresses: spec.addresses ?? [],
      ports: spec.ports.map(servicePort),
      resolution: spec.resolution ?? "NONE",
      endpoints,
    }));
  });
  return {
    settings,
    services,
    workloads: [
      ...workloads.map(({ namespace, spec, name }) => endpoint(spec, namespace, name)),
      ...ofKind(objects, "ServiceEntry").flatMap(({ namespace, spec }) =>
        (spec.endpoints ?? []).map((entry) => endpoint(entry, namespace)),
      ),
    ],
    virtualServices: ofKind(objects, "VirtualService"),
    destinationRules: ofKind(objects, "DestinationRule"),
    peerAuthentications: ofKind(objects, "PeerAuthentication"),
    sidecars: ofKind(objects, "Sidecar"),
  };
}

function isSelected(spec: ServiceEntrySpec, workload: WorkloadSpec): boolean {
  return spec.workloadSelector !== undefined && selects(spec.workloadSelector.labels, workload.labels ?? {});
}

function endpoint(spec: WorkloadSpec, namespace: string, name?: string): Endpoint {
  return {
    ...(name === undefined ? {} : { name }),
    address: spec.address,
    ports: spec.ports ?? {},
    labels: spec.labels ?? {},
    serviceAccount: spec.serviceAccount ?? "",
    namespace,
    weight: spec.weight ?? 1,
    isHealthy: true,
  };
}

function servicePort(spec: PortSpec): ServicePort {
  return {
    number: spec.number,
    name: spec.name,
    targetPort: spec.targetPort ?? spec.number,
    protocol: protocolOf(spec.protocol),
  };
}

/** HTTPS and TLS pass through as TCP. */
export function protocolOf(name: string | undefined): Protocol {
  switch (name) {
    case "HTTP":
      return "http";
    case "HTTP2":
    case "GRPC":
      return "http2";
    default:
      return "tcp";
  }
}
