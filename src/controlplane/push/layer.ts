/**
 * Resources of one type, some of which many proxies have in common.
 */
import type { VersionedResource } from "../../xds/delta-subscription.ts";

/** Resources by name that never change: what comes after them is another layer. */
export class Layer {
  readonly resources: ReadonlyMap<string, VersionedResource>;
  /** The EnvoyFilter that adds a resource, by the resource's name; nothing for those that are there anyway. */
  readonly adders: ReadonlyMap<string, string>;
  /** What is other here than in layers before, which many streams ask. */
  readonly #changes = new WeakMap<Layer, readonly string[]>();

  constructor(resources: ReadonlyMap<string, VersionedResource>, adders: Layer["adders"] = new Map()) {
    this.resources = resources;
    this.adders = adders;
  }

  /** Nothing is other than in the other one. */
  isLike(other: Layer): boolean {
    const hasSameAdders =
      this.adders.size === other.adders.size &&
      [...this.adders].every(([name, adder]) => other.adders.get(name) === adder);
    return hasSameAdders && this.changedSince(other).length === 0;
  }

  /** Of what EnvoyFilters add here, the names that another layer has without any. */
  takenIn(other: Layer): readonly string[] {
    return [...this.adders.keys()].filter((name) => other.resources.has(name) && !other.adders.has(name));
  }

  /** Of what EnvoyFilters add, the names that EnvoyFilters add to another layer as well. */
  addedTwice(other: Layer): readonly string[] {
    return [...this.adders.keys()].filter((name) => other.adders.has(name));
  }

  /** The same without some of them. */
  without(names: readonly string[]): Layer {
    const left = [...this.resources].filter(([name]) => !names.includes(name));
    return names.length === 0 ? this : new Layer(new Map(left), this.adders);
  }

  /** Names of what is new, other or gone. */
  changedSince(before: Layer): readonly string[] {
    if (before === this) return [];
    const known = this.#changes.get(before);
    if (known !== undefined) return known;
    const names: string[] = [];
    for (const [name, resource] of this.resources) {
      const there = before.resources.get(name);
      if (there !== resource && there?.version !== resource.version) names.push(name);
    }
    for (const name of before.resources.keys()) if (!this.resources.has(name)) names.push(name);
    this.#changes.set(before, names);
    return names;
  }
}

const empty = new Layer(new Map());

/** What is there in place of the resources of these names; undefined for nothing. */
export type StandIns = ReadonlyMap<string, VersionedResource | undefined>;

const none: StandIns = new Map();

/** Layers over each other: of several resources with one name the first layer's counts. */
export class ResourceSet {
  readonly layers: readonly Layer[];
  readonly #standIns: StandIns;

  constructor(layers: readonly Layer[] = [], standIns = none) {
    this.layers = layers;
    this.#standIns = standIns;
  }

  get(name: string): VersionedResource | undefined {
    if (this.#standIns.has(name)) return this.#standIns.get(name);
    for (const { resources } of this.layers) {
      const resource = resources.get(name);
      if (resource !== undefined) return resource;
    }
    return undefined;
  }

  *values(): Generator<VersionedResource, void, undefined> {
    for (const resource of this.#standIns.values()) if (resource !== undefined) yield resource;
    for (const { resources } of this.layers) {
      for (const resource of resources.values())
        if (!this.#standIns.has(resource.name) && this.get(resource.name) === resource) yield resource;
    }
  }

  get isEmpty(): boolean {
    return this.#standIns.size === 0 && this.layers.every(({ resources }) => resources.size === 0);
  }

  /** Those of these names. */
  only(isWanted: (name: string) => boolean): ResourceSet {
    const wanted = [...this.values()].filter(({ name }) => isWanted(name));
    return new ResourceSet([new Layer(new Map(wanted.map((resource) => [resource.name, resource])))]);
  }

  /** These with a layer below them. */
  over(layer: Layer): ResourceSet {
    return new ResourceSet([...this.layers, layer], this.#standIns);
  }

  /** These with others in place of some. */
  with(standIns: StandIns): ResourceSet {
    return standIns.size === 0 ? this : new ResourceSet(this.layers, standIns);
  }

  /** Names of what may be other than it was. */
  changedSince(before: ResourceSet): ReadonlySet<string> {
    const names = new Set<string>([...this.#standIns.keys(), ...before.#standIns.keys()]);
    const count = Math.max(this.layers.length, before.layers.length);
    for (let index = 0; index < count; index += 1) {
      const [mine = empty, theirs = empty] = [this.layers[index], before.layers[index]];
      for (const name of mine.changedSince(theirs)) names.add(name);
    }
    return names;
  }
}
