/**
 * What several objects have of one host, as one service: a pure function that keeps what it has made.
 */
import { havePortInCommon, type ServiceOfHost, whyApart } from "../config/one-service.ts";
import { type Endpoint, portOf, type Service, type ServicePort } from "./model.ts";

/** A service, and the object that it was made of. */
export interface ServiceOfEntry {
  readonly entry: ServiceOfHost;
  readonly service: Service;
}

interface Joined {
  readonly parts: readonly Service[];
  readonly service: Service;
}

/** Joins one list after the other; what is as it was in the last one is the same object in the next. */
export class ServiceJoiner {
  readonly #joined = new WeakMap<Service, Joined>();

  /**
   * The oldest one's name, ports and settings, with the addresses and endpoints of all. What cannot be joined stays as it is.
   *
   * @param services the oldest first
   */
  join(services: readonly ServiceOfEntry[]): readonly Service[] {
    const heads = new Map<string, (ServiceOfEntry & { readonly others: Service[] })[]>();
    const order: { readonly service: Service; readonly others: Service[] }[] = [];
    for (const each of services) {
      const { host, namespace } = each.service;
      const key = `${namespace} ${host}`;
      const there = heads.get(key) ?? [];
      const head = there.find(({ entry }) => havePortInCommon(entry.spec, each.entry.spec));
      // An object that names a host twice has it once.
      if (head !== undefined && head.entry !== each.entry && whyApart(head.entry, each.entry) === undefined) {
        head.others.push(each.service);
        continue;
      }
      const next = { ...each, others: [] };
      order.push(next);
      if (there.push(next) === 1) heads.set(key, there);
    }
    return order.map(({ service, others }) =>
      others.length === 0 ? service : this.#joinedOf(service, others),
    );
  }

  #joinedOf(service: Service, others: readonly Service[]): Service {
    const before = this.#joined.get(service);
    const isSame =
      before?.parts.length === others.length && others.every((each, at) => each === before.parts[at]);
    if (isSame) return before.service;
    const made = {
      ...service,
      addresses: [...new Set([service, ...others].flatMap(({ addresses }) => addresses))],
      endpoints: joinedEndpoints(service, others),
    };
    this.#joined.set(service, { parts: others, service: made });
    return made;
  }
}

/** One that several have is there once, as the oldest has it. */
function joinedEndpoints({ ports, endpoints }: Service, others: readonly Service[]): readonly Endpoint[] {
  const place = (endpoint: Endpoint): string =>
    [endpoint.address, ...ports.map((port) => portOf(endpoint, port))].join(" ");
  const known = new Set(endpoints.map(place));
  const added = others.flatMap((other) =>
    other.endpoints.map((endpoint) => withPortsOf(ports, endpoint, other.ports)),
  );
  return [
    ...endpoints,
    ...added.filter((endpoint) => {
      const where = place(endpoint);
      return !known.has(where) && known.add(where);
    }),
  ];
}

/** The endpoint under the names that the joined service has for its ports. */
function withPortsOf(
  ports: readonly ServicePort[],
  endpoint: Endpoint,
  own: readonly ServicePort[],
): Endpoint {
  const numbers = ports.flatMap((port): readonly (readonly [string, number])[] => {
    const same = own.find(({ number }) => number === port.number);
    return same === undefined ? [] : [[port.name, portOf(endpoint, same)]];
  });
  return { ...endpoint, ports: Object.fromEntries(numbers) };
}
