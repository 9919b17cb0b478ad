/**
 * Instances in Consul become services of the mesh: a pure function.
 *
 * A service is `<name>.service.consul` in the namespace default, as Istio's adapter had it. Each port that instances
 * have is an object of its own, as instances of one service may be at different ones.
 */
import {
  isAddress,
  isHost,
  isLabelKey,
  isLabelValue,
  isLocality,
  isResourceName,
} from "../../config/forms.ts";
import type { ConfigObject, PortSpec, ServiceEntrySpec, WorkloadSpec } from "../../config/objects.ts";
import type { ConfigProblem } from "../../config/problem.ts";
import { validate } from "../../config/validate.ts";
import type { Instance } from "./catalog.ts";

/** What the catalog comes to. */
export interface CatalogObjects {
  readonly objects: readonly ConfigObject[];
  /** What of it has no effect, each a warning. */
  readonly problems: readonly ConfigProblem[];
}

/** More ports of one service are a mistake, and would cost every proxy a cluster each. */
const maxPorts = 32;

/** One word on each is enough, and on all of ten thousand too much. */
const maxProblems = 100;

const namespace = "default";

const protocols = ["HTTP", "HTTP2", "GRPC", "TCP", "TLS", "HTTPS", "MONGO", "MYSQL", "REDIS"] as const;

/**
 * @param instances in the order of their services
 * @param datacenter which is their region
 */
export function serviceEntries(instances: readonly Instance[], datacenter: string): CatalogObjects {
  const objects: ConfigObject[] = [];
  const told = new Map<string, ConfigProblem>();
  for (const [name, same] of Map.groupBy(instances, ({ service }) => service.toLowerCase())) {
    const source = `consul ${datacenter}/${name.slice(0, 253)}`;
    const tell: Tell = (path, message) => {
      const problem = { source, line: 0, path, message, severity: "warning" } as const;
      if (told.size < maxProblems) told.set(JSON.stringify(problem), problem);
    };
    objects.push(...entriesOf(name, same, { source, datacenter, tell }));
  }
  return { objects, problems: [...told.values()] };
}

type Tell = (path: string, message: string) => void;

interface ServiceContext {
  readonly source: string;
  readonly datacenter: string;
  readonly tell: Tell;
}

function entriesOf(
  name: string,
  instances: readonly Instance[],
  { source, datacenter, tell }: ServiceContext,
): readonly ConfigObject[] {
  const host = `${name}.service.consul`;
  if (!isHost(host) || host.startsWith("*")) {
    tell("Service", "is no DNS name, so that nobody could call it: register it under another one");
    return [];
  }
  const isExternal = instances.some(({ meta }) => (meta["external"] ?? "") !== "");
  const byPort = Map.groupBy(instances, ({ port }) => port);
  if (byPort.delete(0)) tell("Port", "is missing, or none: such instances are not called");
  const ports = [...byPort].toSorted(([a], [b]) => a - b);
  if (ports.length > maxPorts)
    tell("Port", `is one of ${ports.length}, of which ${maxPorts} are taken: use the same on all nodes`);
  return ports.slice(0, maxPorts).flatMap(([number, atPort]): readonly ConfigObject[] => {
    const port = portOf(number, atPort, tell);
    const object = {
      kind: "ServiceEntry",
      // A dot cannot be in the name of a service, so that no two of these are alike.
      name: `consul.${name}.${number}`,
      namespace,
      source,
      line: 0,
      spec: isExternal
        ? { hosts: [host], ports: [port], location: "MESH_EXTERNAL", resolution: "NONE" }
        : inMesh(
            host,
            port,
            atPort.flatMap((instance) => endpointOf(instance, datacenter, tell)),
          ),
    } as const satisfies ConfigObject;
    const broken = validate(object);
    for (const [path, message] of broken) tell(path, message);
    return broken.length === 0 ? [object] : [];
  });
}

/** Names are looked up by Envoy, and then all endpoints are. */
function inMesh(host: string, port: PortSpec, endpoints: readonly WorkloadSpec[]): ServiceEntrySpec {
  const resolution = endpoints.every(({ address }) => isAddress(address)) ? "STATIC" : "DNS";
  return { hosts: [host], ports: [port], location: "MESH_INTERNAL", resolution, endpoints };
}

/** Without a word in the service's meta it is found out connection by connection what a port carries. */
function portOf(number: number, instances: readonly Instance[], tell: Tell): PortSpec {
  const said = [...new Set(instances.flatMap(({ meta }) => meta["protocol"] ?? []))];
  const known = said.flatMap((text) => protocols.filter((protocol) => protocol === text.toUpperCase()));
  const [protocol] = known;
  if (known.length < said.length) tell("Meta.protocol", `is not one of ${protocols.join(", ")}`);
  if (known.length > 1)
    tell("Meta.protocol", `differs between instances at ${number}: it is taken as ${protocol}`);
  return protocol === undefined
    ? { number, name: `auto-${number}` }
    : { number, name: `${protocol.toLowerCase()}-${number}`, protocol };
}

/** None for an instance that cannot be called. */
function endpointOf(instance: Instance, datacenter: string, tell: Tell): readonly WorkloadSpec[] {
  const { address, meta, tags, weight, isHealthy } = instance;
  if (!isHealthy) return [];
  if (!isAddress(address) && (!isHost(address) || address.startsWith("*"))) {
    tell("Address", `${JSON.stringify(address.slice(0, 64))} of an instance is no address: it is not called`);
    return [];
  }
  const serviceAccount = meta["serviceAccount"];
  const isNamed = serviceAccount !== undefined && isResourceName(serviceAccount);
  if (serviceAccount !== undefined && !isNamed)
    tell(
      "Meta.serviceAccount",
      "is not the name of a service account: such instances are called in plain text",
    );
  return [
    {
      address,
      labels: labelsOf(tags, tell),
      weight,
      ...(isLocality(datacenter) ? { locality: datacenter } : {}),
      ...(isNamed ? { serviceAccount } : {}),
    },
  ];
}

/** Tags of the form `key|value`. */
function labelsOf(tags: readonly string[], tell: Tell): Readonly<Record<string, string>> {
  const labels = new Map<string, string>();
  for (const tag of tags) {
    const [key = "", value, ...rest] = tag.split("|");
    if (value !== undefined && rest.length === 0 && isLabelKey(key) && isLabelValue(value))
      labels.set(key, value);
    else tell("Tags", `${JSON.stringify(tag.slice(0, 64))} is not of the form key|value: it is no label`);
  }
  // Not by assignment: `__proto__` is a name like any other.
  return Object.fromEntries(labels);
}
