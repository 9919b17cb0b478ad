/**
 * Registrations in Nomad become services of the mesh: a pure function.
 *
 * Tags of the form `key=value` or `key|value` say what Nomad has no field for: `port`, `protocol` and `serviceAccount`; any other
 * is a label of the instance, where it can be one.
 */
import {
  isAddress,
  isHost,
  isLabelKey,
  isLabelValue,
  isLocality,
  isNamespace,
  isPort,
} from "../../config/forms.ts";
import type { ConfigObject, WorkloadSpec } from "../../config/objects.ts";
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
import type { Registration } from "./registrations.ts";

/** What the registrations come to. */
export interface NomadObjects {
  readonly objects: readonly ConfigObject[];
  /** What of them has no effect, each a warning. */
  readonly problems: readonly ConfigProblem[];
}

/** Tags that say something of the instance besides its labels. */
const meanings: readonly string[] = ["port", "protocol", "serviceAccount"];

/** @param isWell false for an instance that takes no calls now */
export function serviceEntries(
  registrations: readonly Registration[],
  isWell: (registration: Registration) => boolean,
): NomadObjects {
  const objects: ConfigObject[] = [];
  const problems = new CatalogProblems();
  const sorted = registrations.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  for (const [, same] of Map.groupBy(
    sorted,
    ({ namespace, service }) => `${namespace}/${service.toLowerCase()}`,
  )) {
    const [first] = same;
    if (first === undefined) continue;
    const { namespace } = first;
    const name = first.service.toLowerCase();
    const source = `nomad ${namespace}/${name}`.slice(0, 300);
    objects.push(...entriesOf({ name, namespace, source }, same, isWell, problems.tellOf(source)));
  }
  return { objects, problems: problems.all };
}

interface NamedService {
  readonly name: string;
  readonly namespace: string;
  readonly source: string;
}

function entriesOf(
  { name, namespace, source }: NamedService,
  same: readonly Registration[],
  isWell: (registration: Registration) => boolean,
  tell: Tell,
): readonly ConfigObject[] {
  const host = namespace === "default" ? `${name}.service.nomad` : `${name}.${namespace}.service.nomad`;
  if (!isHost(host) || host.startsWith("*")) {
    tell("ServiceName", "is no DNS name, so that nobody could call it: register it under another one");
    return [];
  }
  if (!isNamespace(namespace)) {
    tell("Namespace", "is no name of a namespace of the mesh: letters, digits and dashes, at most 63");
    return [];
  }
  const byPort = Map.groupBy(same, (registration) => servicePortOf(registration, tell));
  if (byPort.delete(0)) tell("Port", "is missing: such instances are not called");
  const ports = [...byPort].toSorted(([a], [b]) => a - b);
  if (ports.length > maxPorts)
    tell(
      "Port",
      `is one of ${ports.length}, of which ${maxPorts} are taken: say one for all with a tag port=NUMBER`,
    );
  return ports.slice(0, maxPorts).flatMap(([number, at]): readonly ConfigObject[] => {
    const protocols = at.flatMap(({ tags }) => meaningOf(tags, "protocol") ?? []);
    const port = portSaid(number, protocols, (message) => {
      tell("Tags", `protocol ${message}`);
    });
    const endpoints = at.filter(isWell).flatMap((registration) => endpointOf(registration, port.name, tell));
    const resolution = endpoints.every(({ address }) => isAddress(address)) ? "STATIC" : "DNS";
    const object = {
      kind: "ServiceEntry",
      // A dot cannot be in the name of a service, so that no two of these are alike.
      name: `nomad.${name}.${number}`,
      namespace,
      source,
      line: 0,
      spec: { hosts: [host], ports: [port], location: "MESH_INTERNAL", resolution, endpoints },
    } as const satisfies ConfigObject;
    return validOrNone(object, tell);
  });
}

/** The one that callers use: an allocation's own is another for each, as a rule. */
function servicePortOf({ tags, port }: Registration, tell: Tell): number {
  const said = meaningOf(tags, "port");
  if (said === undefined || port === 0) return port;
  if (isPort(said)) return Number(said);
  tell("Tags", `port=${said.slice(0, 16)} is no port from 1 to 65535`);
  return port;
}

/** None for an instance that cannot be called. */
function endpointOf(registration: Registration, portName: string, tell: Tell): readonly WorkloadSpec[] {
  const { address, port, tags, datacenter, allocation } = registration;
  if (!isCallable(address, tell)) return [];
  const account = accountSaid(meaningOf(tags, "serviceAccount"), (message) => {
    tell("Tags", `serviceAccount ${message}`);
  });
  return [
    {
      ...(allocation === "" ? {} : { name: allocation }),
      address,
      ports: { [portName]: port },
      labels: labelsOf(tags),
      ...(isLocality(datacenter) ? { locality: datacenter } : {}),
      ...account,
    },
  ];
}

function labelsOf(tags: readonly string[]): Readonly<Record<string, string>> {
  const pairs = tags.flatMap((tag) => {
    const [key = "", value] = partsOf(tag) ?? [];
    return value !== undefined && !meanings.includes(key) && isLabelKey(key) && isLabelValue(value)
      ? [[key, value] as const]
      : [];
  });
  // Not by assignment: `__proto__` is a name like any other.
  return Object.fromEntries(pairs);
}

function meaningOf(tags: readonly string[], meaning: string): string | undefined {
  return tags.map(partsOf).find((parts) => parts?.[0] === meaning)?.[1];
}

function partsOf(tag: string): readonly [key: string, value: string] | undefined {
  const at = /[=|]/.exec(tag)?.index;
  return at === undefined ? undefined : [tag.slice(0, at), tag.slice(at + 1)];
}

function keyOf({ namespace, service, id }: Registration): string {
  return `${namespace}\0${service}\0${id}`;
}
