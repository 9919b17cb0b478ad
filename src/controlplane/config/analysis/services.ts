/** ServiceEntries that want what an older one has, and endpoints that are called otherwise than they seem. */
import { isAddress } from "../forms.ts";
import type { ConfigObject } from "../objects.ts";
import { whyApart } from "../one-service.ts";
import type { ConfigProblem } from "../problem.ts";
import { sidecarPorts } from "../sidecar-ports.ts";
import { placeOf, warningAt, whereBothAre } from "./warning.ts";

type ServiceEntry = Extract<ConfigObject, { kind: "ServiceEntry" }>;

/** Stops between entries, for others to have their turn. @param entries the oldest first */
export function* serviceWarnings(
  entries: readonly ServiceEntry[],
): Generator<void, readonly ConfigProblem[]> {
  const hosts = new Map<string, ServiceEntry>();
  const ports = new Map<string, ServiceEntry>();
  const addresses = new Map<string, ServiceEntry>();
  const shared = new Map<number, SharedPort>();
  const problems: ConfigProblem[] = [];
  for (const entry of entries) {
    problems.push(
      ...entry.spec.hosts.flatMap((host, index) => hostWarnings(entry, host, index, { hosts, ports })),
      ...addressWarnings(entry, addresses),
      ...plainWarnings(entry),
      ...portWarnings(entry),
      ...sharedWarnings(entry, shared),
    );
    yield;
  }
  return problems;
}

/** What captured calls of a port come to, whatever address they are for. */
interface SharedPort {
  readonly kind: "HTTP" | "TLS" | "TCP";
  readonly by: ServiceEntry;
}

/** A port on every address is for one protocol: HTTP routes by host, TLS by server name, TCP by nothing. */
function sharedWarnings(entry: ServiceEntry, shared: Map<number, SharedPort>): readonly ConfigProblem[] {
  const { addresses = [], ports } = entry.spec;
  const hasAddress = addresses.some((address) => isAddress(address));
  const hasRange = addresses.some((address) => !isAddress(address));
  return ports.flatMap(({ number, protocol }, index) => {
    const kind = sharedKind(protocol);
    // What has addresses of its own is called there.
    if (kind !== "HTTP" && hasAddress && !hasRange) return [];
    if (protocol === undefined && hasAddress) return [];
    const there = shared.get(number);
    if (there === undefined) {
      if (!sidecarPorts.has(number)) shared.set(number, { kind, by: entry });
      return [];
    }
    const where = there.kind === kind ? undefined : whereBothAre(there.by, entry);
    if (where === undefined) return [];
    const message = `${number} is for ${there.kind} already (${placeOf(there.by)}), which is older: captured calls of this ${kind} port${where} are not routed to the service`;
    return [
      warningAt(entry, `spec.ports[${index}].protocol`, `${message}: give it an address, or another port`),
    ];
  });
}

function sharedKind(protocol: ServiceEntry["spec"]["ports"][number]["protocol"]): SharedPort["kind"] {
  if (protocol === undefined || ["HTTP", "HTTP2", "GRPC"].includes(protocol)) return "HTTP";
  return ["TLS", "HTTPS"].includes(protocol) ? "TLS" : "TCP";
}

function hostWarnings(
  entry: ServiceEntry,
  host: string,
  index: number,
  { hosts, ports }: Readonly<Record<"hosts" | "ports", Map<string, ServiceEntry>>>,
): readonly ConfigProblem[] {
  const key = sameHost(host);
  const owner = hosts.get(key);
  const where = owner === undefined ? undefined : whereBothAre(owner, entry);
  if (owner === undefined) hosts.set(key, entry);
  else if (owner.namespace !== entry.namespace && where !== undefined) {
    const message = `${host} is a service of the namespace ${owner.namespace} already (${placeOf(owner)}), which is older`;
    return [warningAt(entry, `spec.hosts[${index}]`, `${message}: this one has no effect${where}`)];
  }
  return entry.spec.ports.flatMap(({ number }, at) => {
    const port = `${entry.namespace} ${key}:${number}`;
    const first = ports.get(port);
    if (first === undefined) ports.set(port, entry);
    if (first === undefined || first === entry) return [];
    const why = whyApart(first, entry);
    if (why === undefined) return [];
    const message = `${host} has the port ${number} already (${placeOf(first)}), which is older: this one has no effect, as ${why}`;
    return [warningAt(entry, `spec.ports[${at}].number`, message)];
  });
}

function addressWarnings(
  entry: ServiceEntry,
  addresses: Map<string, ServiceEntry>,
): readonly ConfigProblem[] {
  return (entry.spec.addresses ?? []).flatMap((address, index) =>
    entry.spec.ports.flatMap(({ number }) => {
      const key = `${address} ${number}`;
      const first = addresses.get(key);
      if (first === undefined) addresses.set(key, entry);
      const where = first === undefined || first === entry ? undefined : whereBothAre(first, entry);
      if (first === undefined || where === undefined || areOne(first, entry)) return [];
      const message = `the port ${number} of ${address} is another service's (${placeOf(first)}), which is older`;
      return [
        warningAt(
          entry,
          `spec.addresses[${index}]`,
          `${message}: who calls the address${where} gets that one`,
        ),
      ];
    }),
  );
}

/** True for two of one host that are one service. */
function areOne(first: ServiceEntry, entry: ServiceEntry): boolean {
  const hosts = first.spec.hosts.map(sameHost);
  const isOfThem = entry.spec.hosts.every((host) => hosts.includes(sameHost(host)));
  return isOfThem && whyApart(first, entry) === undefined;
}

/** Names are the same in capitals or not, and with the root's dot or without it. */
function sameHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, "");
}

/** An identity is asked for in the mesh only. */
function plainWarnings(entry: ServiceEntry): readonly ConfigProblem[] {
  const { endpoints = [], location } = entry.spec;
  if (location === "MESH_INTERNAL" || endpoints.every(({ serviceAccount }) => serviceAccount === undefined))
    return [];
  const message =
    "is MESH_EXTERNAL, so that endpoints with a serviceAccount are called in plain text all the same";
  return [warningAt(entry, "spec.location", `${message}: say MESH_INTERNAL for mutual TLS`)];
}

/** Where a sidecar listens itself, only what is called by an address of its own has a listener. */
function portWarnings(entry: ServiceEntry): readonly ConfigProblem[] {
  const { addresses = [], ports } = entry.spec;
  const hasAddress = addresses.some((address) => isAddress(address));
  return ports.flatMap(({ number, protocol }, index) => {
    const isByHost = protocol !== undefined && ["HTTP", "HTTP2", "GRPC"].includes(protocol);
    if (!sidecarPorts.has(number) || (hasAddress && !isByHost)) return [];
    const message = `${number} is a port of every sidecar's own: captured calls of it are not routed`;
    return [warningAt(entry, `spec.ports[${index}].number`, message)];
  });
}
