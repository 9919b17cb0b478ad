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
  isResourceName,
} from "../../config/forms.ts";
import type { ConfigObject, PortSpec, WorkloadSpec } from "../../config/objects.ts";
import type { ConfigProblem } from "../../config/problem.ts";
import { validate } from "../../config/validate.ts";
import type { Registration } from "./registrations.ts";

/** What the registrations come to. */
export interface NomadObjects {
  readonly objects: readonly ConfigObject[];
  /** What of them has no effect, each a warning. */
  readonly problems: readonly ConfigProblem[];
}

/** More ports of one service are a mistake, and would cost every proxy a cluster each. */
const maxPorts = 32;

/** One word on each is enough, and on all of ten thousand too much. */
const maxProblems = 100;

const protocols = ["HTTP", "HTTP2", "GRPC", "TCP", "TLS", "HTTPS", "MONGO", "MYSQL", "REDIS"] as const;

/** Tags that say something of the instance besides its labels. */
const meanings: readonly string[] = ["port", "protocol", "serviceAccount"];

type Tell = (path: string, message: string) => void;

/** @param isWell false for an instance that takes no calls now */
export function serviceEntries(
  registrations: readonly Registration[],
  isWell: (registration: Registration) => boolean,
): NomadObjects {
  const objects: ConfigObject[] = [];
  const told = new Map<string, ConfigProblem>();
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
    const tell: Tell = (path, message) => {
      const problem = { source, line: 0, path, message, severity: "warning" } as const;
      if (told.size < maxProblems) told.set(JSON.stringify(problem), problem);
    };
    objects.push(...entriesOf({ name, namespace, source }, same, isWell, tell));
  }
  return { objects, problems: [...told.values()] };
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
    const port = portOf(number, at, tell);
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
    const broken = validate(object);
    for (const [path, message] of broken) tell(path, message);
    return broken.length === 0 ? [object] : [];
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

/** Without a tag it is found out connection by connection what a port carries. */
function portOf(number: number, at: readonly Registration[], tell: Tell): PortSpec {
  const said = [...new Set(at.flatMap(({ tags }) => meaningOf(tags, "protocol") ?? []))];
  const known = said.flatMap((text) => protocols.filter((protocol) => protocol === text.toUpperCase()));
  const [protocol] = known;
  if (known.length < said.length) tell("Tags", `protocol is not one of ${protocols.join(", ")}`);
  if (known.length > 1)
    tell("Tags", `protocol differs between instances at ${number}: it is taken as ${protocol}`);
  return protocol === undefined
    ? { number, name: `auto-${number}` }
    : { number, name: `${protocol.toLowerCase()}-${number}`, protocol };
}

/** None for an instance that cannot be called. */
function endpointOf(registration: Registration, portName: string, tell: Tell): readonly WorkloadSpec[] {
  const { address, port, tags, datacenter, allocation } = registration;
  if (!isAddress(address) && (!isHost(address) || address.startsWith("*"))) {
    tell("Address", `${JSON.stringify(address.slice(0, 64))} of an instance is no address: it is not called`);
    return [];
  }
  const serviceAccount = meaningOf(tags, "serviceAccount");
  const isNamed = serviceAccount !== undefined && isResourceName(serviceAccount);
  if (serviceAccount !== undefined && !isNamed)
    tell(
      "Tags",
      "serviceAccount is not the name of a service account: such instances are called in plain text",
    );
  return [
    {
      ...(allocation === "" ? {} : { name: allocation }),
      address,
      ports: { [portName]: port },
      labels: labelsOf(tags),
      ...(isLocality(datacenter) ? { locality: datacenter } : {}),
      ...(isNamed ? { serviceAccount } : {}),
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
