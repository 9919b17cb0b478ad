/**
 * Configuration objects become the model: a pure function.
 */
import { canonicalAddress, canonicalRange } from "../../net/canonical-address.ts";
import {
  type ConfigObject,
  byAge,
  type PortSpec,
  type ServiceEntrySpec,
  type SidecarSpec,
  type WorkloadSpec,
} from "../config/objects.ts";
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
import { withFullHost, withFullHosts } from "./resolve-hosts.ts";

/** Build the model of a valid set of objects, in whatever order. */
export function buildModel(all: readonly ConfigObject[], settings: MeshSettings): Model {
  const objects = all.toSorted(byAge);
  const workloads = ofKind(objects, "WorkloadEntry");
  const services = ofKind(objects, "ServiceEntry").flatMap(({ namespace, spec }) => {
    const selected = workloads
      .filter((workload) => workload.namespace === namespace && isSelected(spec, workload.spec))
      .map((workload) => endpoint(workload.spec, namespace, workload.name));
    const endpoints = [...(spec.endpoints ?? []).map((entry) => endpoint(entry, namespace)), ...selected];
    return spec.hosts.map((host) =>
      service(host.toLowerCase().replace(/\.$/, ""), namespace, spec, endpoints),
    );
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
    virtualServices: ofKind(objects, "VirtualService").map((object) => ({
      ...scoped(object),
      spec: withFullHosts(object.spec, object.namespace),
    })),
    destinationRules: ofKind(objects, "DestinationRule").map((object) => ({
      ...scoped(object),
      spec: withFullHost(object.spec, object.namespace),
    })),
    peerAuthentications: ofKind(objects, "PeerAuthentication").map(scoped),
    authorizationPolicies: ofKind(objects, "AuthorizationPolicy").map((object) => ({
      ...scoped(object),
      isDryRun: object.isDryRun === true,
    })),
    requestAuthentications: ofKind(objects, "RequestAuthentication").map(scoped),
    sidecars: ofKind(objects, "Sidecar").map((object) => ({
      ...scoped(object),
      spec: withCanonicalAddresses(object.spec),
    })),
  };
}

function withCanonicalAddresses(spec: SidecarSpec): SidecarSpec {
  const { ingress, egress } = spec;
  const canonical = <L extends { readonly bind?: string | undefined }>(listener: L): L =>
    listener.bind === undefined ? listener : { ...listener, bind: canonicalAddress(listener.bind) };
  return {
    ...spec,
    ...(ingress && { ingress: ingress.map(canonical) }),
    ...(egress && { egress: egress.map(canonical) }),
  };
}

/** What translation reads of an object: where it stands in a file changes nothing. */
function scoped<Spec>({
  name,
  namespace,
  spec,
}: {
  readonly name: string;
  readonly namespace: string;
  readonly spec: Spec;
}): { readonly name: string; readonly namespace: string; readonly spec: Spec } {
  return { name, namespace, spec };
}

function service(
  host: string,
  namespace: string,
  spec: ServiceEntrySpec,
  endpoints: readonly Endpoint[],
): Service {
  const resolution = spec.resolution ?? "NONE";
  const isByName = resolution === "DNS" || resolution === "DNS_ROUND_ROBIN";
  return {
    host,
    namespace,
    addresses: [...new Set((spec.addresses ?? []).map(canonicalRange))],
    ports: spec.ports.map(servicePort),
    resolution,
    // A service that is looked up and says nothing of where is at its own name.
    endpoints: isByName && endpoints.length === 0 ? [endpoint({ address: host }, namespace)] : endpoints,
    isExternal: spec.location !== "MESH_INTERNAL",
    subjectAltNames: spec.subjectAltNames ?? [],
    exportTo: spec.exportTo ?? [],
  };
}

function isSelected(spec: ServiceEntrySpec, workload: WorkloadSpec): boolean {
  return spec.workloadSelector !== undefined && selects(spec.workloadSelector.labels, workload.labels ?? {});
}

function endpoint(spec: WorkloadSpec, namespace: string, name?: string): Endpoint {
  return {
    ...(name === undefined ? {} : { name }),
    address: canonicalAddress(spec.address),
    ports: spec.ports ?? {},
    labels: spec.labels ?? {},
    locality: spec.locality ?? "",
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

/** HTTPS passes through as TLS; databases, of which nothing is understood, as TCP. */
export function protocolOf(name: PortSpec["protocol"]): Protocol {
  switch (name) {
    case undefined:
      return "auto";
    case "HTTP":
      return "http";
    case "HTTP2":
      return "http2";
    case "GRPC":
      return "grpc";
    case "TLS":
    case "HTTPS":
      return "tls";
    case "TCP":
    case "MONGO":
    case "MYSQL":
    case "REDIS":
      return "tcp";
  }
}
