/**
 * Configuration objects become the model: a pure function.
 */
import { isDeepStrictEqual } from "node:util";
import { atOnce } from "../../lifecycle/in-turns.ts";
import { canonicalAddress, canonicalRange } from "../../net/canonical-address.ts";
import { certificatesOf, dockerConfigOf } from "../config/secret-contents.ts";
import { KeptConversion } from "../config/gateway-api/kept-conversion.ts";
import {
  type ConfigObject,
  byAge,
  type GatewayApiTraits,
  type MeshConfigSpec,
  objectId,
  type PeerAuthenticationSpec,
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
  type Scoped,
  selects,
  type Service,
  type ServicePort,
} from "./model.ts";
import { type TrafficExtension, trafficExtension } from "./extensions.ts";
import { DelegateMerger } from "./delegates.ts";
import { callerLabelsOf } from "./caller.ts";
import { ServiceJoiner, type ServiceOfEntry } from "./join-services.ts";
import { PeerPolicies } from "./peer-policies.ts";
import { patchSet } from "./patches.ts";
import { providerServices } from "./providers.ts";
import { withFullHost, withFullHosts } from "./resolve-hosts.ts";

/** Build the model of a valid set of objects, in whatever order. */
export function buildModel(objects: readonly ConfigObject[], settings: MeshSettings): Model {
  return new ModelBuilder(settings).build(objects);
}

type ObjectOf<Kind extends ConfigObject["kind"]> = Extract<ConfigObject, { kind: Kind }>;

/** Builds one model after the other; what is as it was in the last one is the same object in the next. */
export class ModelBuilder {
  readonly #settings: MeshSettings;
  /** The object that stands for each that was seen. */
  readonly #meant = new WeakMap<ConfigObject, ConfigObject>();
  #byId: ReadonlyMap<string, ConfigObject> = new Map();
  readonly #kept = new WeakMap<ConfigObject, object>();
  readonly #services = new WeakMap<ConfigObject, MadeServices>();
  readonly #joiner = new ServiceJoiner();
  readonly #delegates = new DelegateMerger();
  readonly #gatewayApi = new KeptConversion();
  #last: Model | undefined;
  #peerAuthentications: readonly Scoped<PeerAuthenticationSpec>[] = [];

  constructor(settings: MeshSettings) {
    this.#settings = settings;
  }

  /** The last model itself when nothing changed that translation reads. */
  build(all: readonly ConfigObject[]): Model {
    return atOnce(this.steps(all));
  }

  /** The same, which stops now and then for others to have their turn. One build ends before the next begins. */
  *steps(all: readonly ConfigObject[]): Generator<void, Model> {
    const written: ConfigObject[] = [];
    for (const object of all) {
      written.push(this.#meantBy(object));
      yield;
    }
    const converted = this.#gatewayApi.convert(written).objects.map((object) => this.#meantBy(object));
    const meant = [...written, ...converted];
    yield;
    const objects = meant.toSorted(byAge);
    yield;
    const declared = ofKind(objects, "WorkloadEntry");
    const made = this.#each(objects, "WorkloadEntry", ({ namespace, spec, name }) =>
      endpoint(spec, namespace, name),
    );
    const workloads = made.filter((_, index) => declared[index]?.pod?.isIdentityOnly !== true);
    const callable = made.filter((_, index) => {
      const { pod, isUnhealthy = false } = declared[index] ?? {};
      const { isIdentityOnly = false, isReady = true } = pod ?? {};
      return isReady && !isIdentityOnly && !isUnhealthy;
    });
    const inNamespace = Map.groupBy(callable, ({ namespace }) => namespace);
    const selectors = ofKind(objects, "Gateway")
      .map(({ spec }) => spec.selector ?? {})
      .filter((selector) => Object.keys(selector).length > 0);
    const gatewayPods = made.filter(
      ({ labels }, index) =>
        declared[index]?.pod?.isIdentityOnly === true &&
        selectors.some((selector) => selects(selector, labels)),
    );
    yield;
    const ownEndpoints: Endpoint[] = [];
    const found: ServiceOfEntry[] = [];
    for (const entry of ofKind(objects, "ServiceEntry")) {
      const own = this.#made(entry, ({ namespace, spec }) =>
        (spec.endpoints ?? []).map((each) => endpoint(each, namespace, each.name)),
      );
      for (const each of own) ownEndpoints.push(each);
      const others = selected(entry.spec, inNamespace.get(entry.namespace) ?? []);
      for (const service of this.#servicesOf(entry, others.length === 0 ? own : [...own, ...others]))
        found.push({ entry, service });
      yield;
    }
    const services = this.#joiner.join(found);
    yield;
    const virtualServices = this.#delegates.merge(
      this.#each(objects, "VirtualService", (object) => ({
        ...scoped(object),
        spec: withFullHosts(object.spec, object.namespace),
      })),
    );
    const destinationRules = this.#each(objects, "DestinationRule", (object) => ({
      ...scoped(object),
      spec: withFullHost(object.spec, object.namespace),
    }));
    const sidecars = this.#each(objects, "Sidecar", (object) => ({
      ...scoped(object),
      spec: withCanonicalAddresses(object.spec),
    }));
    const lists = withLast(this.#last, {
      services,
      workloads: [...workloads, ...ownEndpoints],
      gatewayPods,
      virtualServices,
      destinationRules,
      authorizationPolicies: this.#each(objects, "AuthorizationPolicy", (object) => ({
        ...scoped(object),
        isDryRun: object.isDryRun === true,
      })),
      requestAuthentications: this.#each(objects, "RequestAuthentication", scoped),
      sidecars,
      gateways: this.#each(objects, "Gateway", scoped),
      telemetries: this.#each(objects, "Telemetry", scoped),
      envoyFilters: this.#each(objects, "EnvoyFilter", patchSet),
      extensions: this.#extensions(objects),
      secrets: this.#each(objects, "Secret", ({ name, namespace, spec, isInCluster = false }) => ({
        name,
        namespace,
        isInCluster,
        dockerConfig: dockerConfigOf(spec),
        ...certificatesOf(spec),
      })),
    });
    yield;
    const peerAuthentications = this.#each(objects, "PeerAuthentication", scoped);
    const meshConfig = ofKind(objects, "MeshConfig")[0]?.spec ?? noMeshConfig;
    const model = this.#modelOf(lists, meshConfig, peerAuthentications);
    this.#byId = new Map(meant.map((object) => [objectId(object), object]));
    this.#peerAuthentications = peerAuthentications;
    this.#last = model;
    return model;
  }

  /** A file that was written anew has objects that are as they were: where they stand in it changes nothing. */
  #meantBy(object: ConfigObject): ConfigObject {
    const known = this.#meant.get(object);
    if (known !== undefined) return known;
    const before = this.#byId.get(objectId(object));
    const meant = before !== undefined && isDeepStrictEqual(said(before), said(object)) ? before : object;
    this.#meant.set(object, meant);
    return meant;
  }

  #each<Kind extends ConfigObject["kind"], Made extends object>(
    objects: readonly ConfigObject[],
    kind: Kind,
    make: (object: ObjectOf<Kind>) => Made,
  ): readonly Made[] {
    return ofKind(objects, kind).map((object) => this.#made(object, make));
  }

  /** What was made of the object before, else what is made of it now. */
  #made<Kind extends ConfigObject, Made extends object>(object: Kind, make: (object: Kind) => Made): Made {
    const before = this.#kept.get(object);
    if (before !== undefined) return before as Made;
    const made = make(object);
    this.#kept.set(object, made);
    return made;
  }

  /** By age, whichever of the two kinds they are written as. */
  #extensions(objects: readonly ConfigObject[]): readonly TrafficExtension[] {
    return objects.flatMap((object) =>
      object.kind === "WasmPlugin" || object.kind === "TrafficExtension"
        ? [this.#made(object, trafficExtension)]
        : [],
    );
  }

  #servicesOf(entry: ObjectOf<"ServiceEntry">, endpoints: readonly Endpoint[]): readonly Service[] {
    const before = this.#services.get(entry);
    if (before !== undefined && hasSame(before.endpoints, endpoints)) return before.services;
    const { namespace, spec } = entry;
    const services = spec.hosts.map((host) =>
      service(host.toLowerCase().replace(/\.$/, ""), namespace, spec, endpoints),
    );
    this.#services.set(entry, { endpoints, services });
    return services;
  }

  #modelOf(
    lists: ModelLists,
    meshConfig: MeshConfigSpec,
    peerAuthentications: readonly Scoped<PeerAuthenticationSpec>[],
  ): Model {
    const last = this.#last;
    const hasSamePeers = hasSame(this.#peerAuthentications, peerAuthentications);
    if (last?.meshConfig === meshConfig && hasSamePeers && isAsLast(last, lists)) return last;
    return {
      settings: this.#settings,
      ...lists,
      meshConfig,
      trustBundle: noRoots,
      providerServices: sameAsLast(last?.providerServices, providerServices(meshConfig, lists.services)),
      isTraced: isTraced(meshConfig, lists.telemetries),
      callerLabels: callerLabelsOf(lists),
      peers:
        last !== undefined && hasSamePeers
          ? last.peers
          : new PeerPolicies(peerAuthentications, this.#settings.rootNamespace),
    };
  }
}

/** The services of an entry, and the endpoints that they were made of. */
interface MadeServices {
  readonly endpoints: readonly Endpoint[];
  readonly services: readonly Service[];
}

type ModelLists = Omit<
  Model,
  "settings" | "callerLabels" | "meshConfig" | "trustBundle" | "providerServices" | "isTraced" | "peers"
>;

function sameAsLast<Value>(last: Value | undefined, next: Value): Value {
  return last !== undefined && isDeepStrictEqual(last, next) ? last : next;
}

function isTraced(
  { enableTracing, defaultProviders }: MeshConfigSpec,
  telemetries: Model["telemetries"],
): boolean {
  return (
    enableTracing === true ||
    (defaultProviders?.tracing ?? []).length > 0 ||
    telemetries.some(({ spec }) => (spec.tracing ?? []).length > 0)
  );
}

/** What configuration says of the mesh's roots. */
const noRoots: readonly string[] = [];

/** A mesh that says nothing. */
const noMeshConfig: MeshConfigSpec = {};

/** What an object says, wherever it stands. */
function said({ source: _source, line: _line, ...rest }: ConfigObject): object {
  return rest;
}

function hasSame(a: readonly object[], b: readonly object[]): boolean {
  return a.length === b.length && a.every((each, index) => each === b[index]);
}

/** Lists that hold the same objects as the last ones are these. */
function withLast(last: ModelLists | undefined, next: ModelLists): ModelLists {
  if (last === undefined) return next;
  const lists: Record<string, readonly object[]> = { ...next };
  for (const [name, list] of Object.entries(lists)) {
    const before = last[name as keyof ModelLists];
    if (hasSame(before, list)) lists[name] = before;
  }
  return lists as unknown as ModelLists;
}

function isAsLast(last: ModelLists, next: ModelLists): boolean {
  return (Object.keys(next) as (keyof ModelLists)[]).every((name) => last[name] === next[name]);
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
  gatewayApi,
}: {
  readonly name: string;
  readonly namespace: string;
  readonly spec: Spec;
  readonly gatewayApi?: GatewayApiTraits;
}): Scoped<Spec> {
  return { name, namespace, spec, ...(gatewayApi === undefined ? {} : { gatewayApi }) };
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

function selected(
  { workloadSelector }: ServiceEntrySpec,
  workloads: readonly Endpoint[],
): readonly Endpoint[] {
  if (workloadSelector === undefined) return [];
  return workloads.filter(({ labels }) => selects(workloadSelector.labels, labels));
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
