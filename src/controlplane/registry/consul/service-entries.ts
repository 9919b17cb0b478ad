/**
 * Instances in Consul become services of the mesh: a pure function.
 *
 * A service is `<name>.service.consul` in the namespace default, as Istio's adapter had it. Each port that instances
 * have is an object of its own, as instances of one service may be at different ones.
 */
import { isAddress, isHost, isLabelKey, isLabelValue, isLocality } from "../../config/forms.ts";
import type { ConfigObject, PortSpec, ServiceEntrySpec, WorkloadSpec } from "../../config/objects.ts";
import type { ConfigProblem } from "../../config/problem.ts";
import {
  accountSaid,
  CatalogProblems,
  isCallable,
  maxPorts,
  portSaid,
  type Tell,
  validOrNone,
} from "../catalog-services.ts";
import type { Instance } from "./catalog.ts";

/** What the catalog comes to. */
export interface CatalogObjects {
  readonly objects: readonly ConfigObject[];
  /** What of it has no effect, each a warning. */
  readonly problems: readonly ConfigProblem[];
}

const namespace = "default";

/**
 * @param instances in the order of their services
 * @param datacenter which is their region
 */
export function serviceEntries(instances: readonly Instance[], datacenter: string): CatalogObjects {
  const objects: ConfigObject[] = [];
  const problems = new CatalogProblems();
  for (const [name, same] of Map.groupBy(instances, ({ service }) => service.toLowerCase())) {
    const source = `consul ${datacenter}/${name.slice(0, 253)}`;
    objects.push(...entriesOf(name, same, { source, datacenter, tell: problems.tellOf(source) }));
  }
  return { objects, problems: problems.all };
}

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
    const protocols = atPort.flatMap(({ meta }) => meta["protocol"] ?? []);
    const port = portSaid(number, protocols, (message) => {
      tell("Meta.protocol", message);
    });
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
    return validOrNone(object, tell);
  });
}

/** Names are looked up by Envoy, and then all endpoints are. */
function inMesh(host: string, port: PortSpec, endpoints: readonly WorkloadSpec[]): ServiceEntrySpec {
  const resolution = endpoints.every(({ address }) => isAddress(address)) ? "STATIC" : "DNS";
  return { hosts: [host], ports: [port], location: "MESH_INTERNAL", resolution, endpoints };
}

/** None for an instance that cannot be called. */
function endpointOf(instance: Instance, datacenter: string, tell: Tell): readonly WorkloadSpec[] {
  const { address, meta, tags, weight, isHealthy } = instance;
  if (!isHealthy) return [];
  if (!isCallable(address, tell)) return [];
  const account = accountSaid(meta["serviceAccount"], (message) => {
    tell("Meta.serviceAccount", message);
  });
  return [
    {
      address,
      labels: labelsOf(tags, tell),
      weight,
      ...(isLocality(datacenter) ? { locality: datacenter } : {}),
      ...account,
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
