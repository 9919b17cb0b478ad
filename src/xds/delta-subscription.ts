/**
 * What one client wants of one type in the incremental protocol, and which versions it has
 * (Envoy's xDS protocol documentation, "Incremental xDS").
 */

/** The fields of a DeltaDiscoveryRequest that decide. */
export interface DeltaRequest {
  readonly resourceNamesSubscribe: readonly string[];
  readonly resourceNamesUnsubscribe: readonly string[];
  readonly initialResourceVersions: Readonly<Record<string, string>>;
}

/** A resource with the hash of its bytes. */
export interface VersionedResource {
  readonly name: string;
  readonly version: string;
  readonly bytes: Uint8Array;
}

/** What must be sent so that the client has the newest state. */
export interface Difference {
  readonly changed: readonly VersionedResource[];
  readonly removed: readonly string[];
}

/** One subscription. */
export class DeltaSubscription {
  readonly #wildcardType: boolean;
  #wildcard = false;
  #asked = false;
  readonly #names = new Set<string>();
  /** Version of each resource that the client has. */
  readonly #known = new Map<string, string>();

  /** @param wildcardType a first request without names means "all", as for clusters and listeners */
  constructor(wildcardType: boolean) {
    this.#wildcardType = wildcardType;
  }

  /** Take in a request. True when it is the first, or changes what is wanted. */
  receive(request: DeltaRequest): boolean {
    const first = !this.#asked;
    this.#asked = true;
    if (first) {
      this.#wildcard = this.#wildcardType && request.resourceNamesSubscribe.length === 0;
      for (const [name, version] of Object.entries(request.initialResourceVersions))
        this.#known.set(name, version);
    }
    for (const name of request.resourceNamesUnsubscribe) {
      if (name === "*") this.#wildcard = false;
      this.#names.delete(name);
      this.#known.delete(name);
    }
    for (const name of request.resourceNamesSubscribe) {
      if (name === "*") this.#wildcard = true;
      else this.#names.add(name);
      // Subscribing again asks for the resource again, whatever the client had.
      if (!first) this.#known.delete(name);
    }
    return first || request.resourceNamesSubscribe.length > 0;
  }

  /** True when the client is to have the resource of that name. */
  wants(name: string): boolean {
    return this.#wildcard || this.#names.has(name);
  }

  /** The client is to be sent these again, whatever it has. */
  forget(names: Iterable<string>): void {
    for (const name of names) this.#known.delete(name);
  }

  /** Compare with the newest resources. */
  difference(resources: ReadonlyMap<string, VersionedResource>): Difference {
    const wanted = [...resources.values()].filter(({ name }) => this.wants(name));
    return {
      changed: wanted.filter(({ name, version }) => this.#known.get(name) !== version),
      removed: [...this.#known.keys()].filter((name) => !resources.has(name)),
    };
  }

  /** The client has been sent this difference. */
  sent({ changed, removed }: Difference): void {
    for (const { name, version } of changed) this.#known.set(name, version);
    for (const name of removed) this.#known.delete(name);
  }
}
