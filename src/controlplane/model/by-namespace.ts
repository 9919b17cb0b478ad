/**
 * Lists of a model by the namespace of what is in them: who sees one namespace does not look through all of them. Each is made
 * once, with the list.
 */
import type { Service } from "./model.ts";

/** What is in a namespace. */
interface Namespaced {
  readonly namespace: string;
}

/** One list. */
export class NamespaceIndex<Item extends Namespaced> {
  readonly all: readonly Item[];
  readonly #places = new Map<string, number[]>();

  constructor(all: readonly Item[]) {
    this.all = all;
    for (const [place, { namespace }] of all.entries()) {
      const there = this.#places.get(namespace);
      if (there === undefined) this.#places.set(namespace, [place]);
      else there.push(place);
    }
  }

  /** Those of one namespace, in the order of the list. */
  of(namespace: string): readonly Item[] {
    return this.at(this.placesOf(namespace));
  }

  /** Where those of one namespace are in the list, ascending. */
  placesOf(namespace: string): readonly number[] {
    return this.#places.get(namespace) ?? [];
  }

  /** What is at these places, in their order. */
  at(places: readonly number[]): readonly Item[] {
    return places.flatMap((place) => this.all[place] ?? []);
  }
}

/** Services, also by host, and by the address of an endpoint. */
export class ServiceIndex extends NamespaceIndex<Service> {
  #byHost: ReadonlyMap<string, readonly number[]> | undefined;
  readonly #byAddress = new Map<string, ReadonlyMap<string, readonly Service[]>>();

  /** Where those of a host are in the list, ascending. */
  placesOfHost(host: string): readonly number[] {
    this.#byHost ??= Map.groupBy(this.all.keys(), (place) => this.all[place]?.host ?? "");
    return this.#byHost.get(host) ?? [];
  }

  /** Those of a namespace that have an endpoint at this address, in the order of the list. */
  atAddress(namespace: string, address: string): readonly Service[] {
    let there = this.#byAddress.get(namespace);
    if (there === undefined) {
      there = byAddress(this.of(namespace));
      this.#byAddress.set(namespace, there);
    }
    return there.get(address) ?? [];
  }

  /** The same for any of several addresses; each once. */
  atAddresses(namespace: string, addresses: readonly string[]): readonly Service[] {
    const [first, ...others] = addresses.map((address) => this.atAddress(namespace, address));
    if (first === undefined || others.every(({ length }) => length === 0)) return first ?? [];
    const found = new Set([first, ...others].flat());
    return this.of(namespace).filter((service) => found.has(service));
  }
}

function byAddress(services: readonly Service[]): ReadonlyMap<string, readonly Service[]> {
  const found = new Map<string, Service[]>();
  for (const service of services) {
    for (const { address } of service.endpoints) {
      const there = found.get(address);
      if (there === undefined) found.set(address, [service]);
      else if (there.at(-1) !== service) there.push(service);
    }
  }
  return found;
}

const lists = new WeakMap<readonly Namespaced[], unknown>();
const services = new WeakMap<readonly Service[], ServiceIndex>();

/** The index of a list that never changes. */
export function byNamespace<Item extends Namespaced>(list: readonly Item[]): NamespaceIndex<Item> {
  const known = lists.get(list) as NamespaceIndex<Item> | undefined;
  if (known !== undefined) return known;
  const made = new NamespaceIndex(list);
  lists.set(list, made);
  return made;
}

/** The index of the services of a model. */
export function servicesOf(list: readonly Service[]): ServiceIndex {
  const known = services.get(list);
  if (known !== undefined) return known;
  const made = new ServiceIndex(list);
  services.set(list, made);
  return made;
}
