/**
 * Services of a cluster, with their slices, pods and nodes, become services of the mesh: pure.
 *
 * A Service becomes the ServiceEntry `<name>.<namespace>.svc.<domain>` of its namespace (Istio's Kubernetes registry). What
 * nothing changed of is the same object as before.
 */
import { isAddress, isDnsLabel, isHost, isLocality } from "../../config/forms.ts";
import type { ConfigObject, PortSpec, ServiceEntrySpec, WorkloadSpec } from "../../config/objects.ts";
import type { ConfigProblem } from "../../config/problem.ts";
import { validate } from "../../config/validate.ts";
import type {
  ClusterNode,
  ClusterPod,
  ClusterPort,
  ClusterService,
  ClusterSlice,
  SliceEndpoint,
} from "./cluster-objects.ts";

/** What services are made of. */
export interface Cluster {
  readonly services: Iterable<ClusterService>;
  readonly slices: Iterable<ClusterSlice>;
  readonly pod: (key: string) => ClusterPod | undefined;
  readonly node: (name: string) => ClusterNode | undefined;
}

/** What an entry was made of, and the entry. */
interface Made {
  readonly parts: readonly unknown[];
  readonly entry: MadeEntry;
}

/** One service's object, or why there is none, or not all of it. */
export interface MadeEntry {
  readonly object: ConfigObject | undefined;
  readonly problems: readonly ConfigProblem[];
}

/** An endpoint with what is known of where it is. */
interface Placed {
  readonly endpoint: SliceEndpoint;
  readonly slice: ClusterSlice;
  readonly pod: ClusterPod | undefined;
  readonly node: ClusterNode | undefined;
}

/** Makes entries again and again. */
export class ServiceEntries {
  readonly #domain: string;
  #made: ReadonlyMap<ClusterService, Made> = new Map();

  /** @param domain the cluster's, such as `cluster.local` */
  constructor(domain: string) {
    this.#domain = domain;
  }

  make({ services, slices, pod, node }: Cluster): readonly MadeEntry[] {
    const byService = Map.groupBy(slices, ({ namespace, service }) => `${namespace}/${service}`);
    const made = new Map<ClusterService, Made>();
    for (const service of services) {
      const own = byService.get(`${service.namespace}/${service.name}`) ?? [];
      const placed = own.flatMap((slice) =>
        slice.endpoints.map((endpoint): Placed => {
          const known = endpoint.pod === "" ? undefined : pod(`${slice.namespace}/${endpoint.pod}`);
          return { endpoint, slice, pod: known, node: node(endpoint.node || (known?.node ?? "")) };
        }),
      );
      const parts = [...own, ...placed.flatMap((each) => [each.pod, each.node])];
      const before = this.#made.get(service);
      const isSame =
        before?.parts.length === parts.length && parts.every((part, at) => part === before.parts[at]);
      made.set(service, isSame ? before : { parts, entry: entryOf(service, placed, this.#domain) });
    }
    this.#made = made;
    return [...made.values()].map(({ entry }) => entry);
  }
}

function entryOf(service: ClusterService, placed: readonly Placed[], domain: string): MadeEntry {
  const { namespace, name, createdAtMs, loadBalancer } = service;
  const problems: ConfigProblem[] = [];
  const source = `Service ${namespace}/${name}`;
  const tell = (path: string, message: string): void => {
    problems.push({ source, line: 0, path, message, severity: "warning" });
  };
  // One without ports is a name only, as those of UDP are: nothing is called there.
  if (service.ports.length === 0) return { object: undefined, problems };
  const spec = specOf(service, placed, `${name}.${namespace}.svc.${domain}`, tell);
  if (spec === undefined) return { object: undefined, problems };
  const object = {
    kind: "ServiceEntry",
    // A colon cannot be in the name of any other, so that no two are alike.
    name: `kubernetes:${name}`,
    namespace,
    ...(createdAtMs === undefined ? {} : { createdAtMs }),
    ...(loadBalancer.length === 0 ? {} : { loadBalancer }),
    source,
    line: 0,
    spec,
  } as const satisfies ConfigObject;
  // Whoever writes one may not name the endpoints of what is called where its callers look it up; the cluster knows them.
  const judged = service.isHeadless ? { ...object, spec: { ...spec, endpoints: [] } } : object;
  const broken = validate(judged).filter(([, , severity]) => severity === undefined);
  for (const [path, message] of broken) tell(path, message);
  return { object: broken.length === 0 ? object : undefined, problems };
}

type Tell = (path: string, message: string) => void;

function specOf(
  service: ClusterService,
  placed: readonly Placed[],
  host: string,
  tell: Tell,
): ServiceEntrySpec | undefined {
  const ports = service.ports.map((port) => portSpec(port));
  const common = {
    hosts: [host],
    ports,
    ...(service.exportTo === undefined ? {} : { exportTo: service.exportTo }),
  };
  if (service.type === "ExternalName") {
    const { externalName } = service;
    const isKnown = isAddress(externalName) || (isHost(externalName) && !externalName.startsWith("*"));
    if (!isKnown) {
      tell("spec.externalName", `${JSON.stringify(externalName.slice(0, 64))} is no name that is looked up`);
      return undefined;
    }
    const endpoints = [{ address: externalName.toLowerCase().replace(/\.$/, "") }];
    return { ...common, location: "MESH_EXTERNAL", resolution: "DNS", endpoints };
  }
  if (service.isNodeLocal)
    tell("spec.internalTrafficPolicy", "Local has no effect here: callers call the endpoints of all nodes");
  const endpoints = serving(ofOneFamily(service, placed, tell)).map((each) => endpointSpec(each, service));
  return {
    ...common,
    addresses: service.addresses,
    location: "MESH_INTERNAL",
    resolution: service.isHeadless ? "NONE" : "STATIC",
    endpoints,
  };
}

/** A pod of two families is there twice, once by each: it is called by the service's own. */
function ofOneFamily({ families }: ClusterService, placed: readonly Placed[], tell: Tell): readonly Placed[] {
  const callable = placed.filter(({ endpoint }) => isAddress(endpoint.address));
  if (callable.length < placed.length)
    tell("endpoints", "are no addresses in an EndpointSlice of the type FQDN: such ones are not called");
  const preferred = callable.filter(({ slice }) => slice.addressType === (families[0] ?? "IPv4"));
  return preferred.length > 0 ? preferred : callable;
}

/** Those that are ready; while none is, those that still answer though they are about to end, as kube-proxy calls them. */
function serving(placed: readonly Placed[]): readonly Placed[] {
  const ready = placed.filter(({ endpoint }) => endpoint.isReady);
  const chosen = ready.length > 0 ? ready : placed.filter(({ endpoint }) => endpoint.isServing);
  // One that moves from one slice to another is in both for a moment.
  const byAddress = new Map(chosen.map((each) => [`${each.endpoint.address} ${portsKey(each.slice)}`, each]));
  return [...byAddress.values()].toSorted((a, b) => (a.endpoint.address < b.endpoint.address ? -1 : 1));
}

function portsKey({ ports }: ClusterSlice): string {
  return [...ports].map(([name, number]) => `${name}=${number}`).join();
}

function endpointSpec({ endpoint, slice, pod, node }: Placed, service: ClusterService): WorkloadSpec {
  const locality = localityOf(pod, node);
  const ports = new Map(
    service.ports.flatMap((port) => {
      const number = slice.ports.get(port.name);
      return number === undefined ? [] : [[portName(port), number] as const];
    }),
  );
  return {
    address: endpoint.address,
    ports: Object.fromEntries(ports),
    labels: pod?.labels ?? {},
    ...(isLocality(locality) ? { locality } : {}),
    ...(pod?.proxy === "sidecar" ? { serviceAccount: pod.serviceAccount } : {}),
    ...(service.isHeadless && podName(endpoint) !== "" ? { name: podName(endpoint) } : {}),
  };
}

function podName({ hostname, pod }: SliceEndpoint): string {
  return hostname || pod;
}

/** What the pod says itself, else where its node is. */
export function localityOf(pod: ClusterPod | undefined, node: ClusterNode | undefined): string {
  const own = pod?.labels["istio-locality"]?.replaceAll(".", "/") ?? "";
  return isLocality(own) ? own : (node?.locality ?? "");
}

function portSpec(port: ClusterPort): PortSpec {
  const protocol = protocolOf(port);
  return {
    number: port.number,
    name: portName(port),
    ...(protocol === undefined ? {} : { protocol }),
  };
}

/** A service's only port may have no name. */
function portName({ name, number }: ClusterPort): string {
  return isDnsLabel(name) ? name : `port-${number}`;
}

const protocols: Readonly<Record<string, NonNullable<PortSpec["protocol"]>>> = {
  http: "HTTP",
  http2: "HTTP2",
  grpc: "GRPC",
  "grpc-web": "GRPC",
  https: "HTTPS",
  tls: "TLS",
  tcp: "TCP",
  mongo: "MONGO",
  mysql: "MYSQL",
  redis: "REDIS",
  // Kubernetes' own names (KEP-3726), and what else stands for HTTP/2 without TLS.
  "kubernetes.io/h2c": "HTTP2",
  h2c: "HTTP2",
  "kubernetes.io/ws": "HTTP",
  "kubernetes.io/wss": "HTTPS",
  ws: "HTTP",
  wss: "HTTPS",
};

/** Ports where the server speaks first: looking at what comes would wait for ever (as in Istio). */
const serverFirst: readonly number[] = [25, 53, 3306, 27017];

/** `appProtocol`, else the first word of the port's name; undefined is found out connection by connection. */
export function protocolOf({ name, number, appProtocol }: ClusterPort): PortSpec["protocol"] {
  const known = (word: string): PortSpec["protocol"] =>
    Object.hasOwn(protocols, word) ? protocols[word] : undefined;
  const said = appProtocol === "" ? undefined : known(appProtocol.toLowerCase());
  if (said !== undefined) return said;
  const lower = name.toLowerCase();
  const named = lower.startsWith("grpc-web") ? "GRPC" : known(lower.split("-")[0] ?? "");
  return named ?? (serverFirst.includes(number) ? "TCP" : undefined);
}
