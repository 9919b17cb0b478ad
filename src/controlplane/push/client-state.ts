/**
 * What one client has of one type. It has what it was offered last, but for exceptions, so that it costs no memory of its
 * own for each resource, and no time for those that are as they were.
 */
import type { VersionedResource } from "../../xds/delta-subscription.ts";
import { ResourceSet } from "./layer.ts";

/** Something that a client has; of what it brought along only the version is known. */
type Had = Pick<VersionedResource, "version"> & { readonly resource?: VersionedResource };

/** What separates a client from a newer state. */
export interface Step {
  /** What it is to get. */
  readonly changed: readonly VersionedResource[];
  /** What it has and is to have no longer. */
  readonly gone: readonly string[];
  /** The same as far as its bytes are known. */
  readonly goneResources: readonly VersionedResource[];
  /** The client has taken the step. @param keepsGone it still has what is gone */
  readonly taken: (keepsGone: boolean) => void;
}

/** One client's state. */
export class ClientState {
  readonly #wants: (name: string) => boolean;
  #offered = new ResourceSet();
  readonly #exceptions = new Map<string, Had | undefined>();

  constructor(wants: (name: string) => boolean) {
    this.#wants = wants;
  }

  /** The client says that it has this version, from another stream. */
  brings(name: string, version: string): void {
    this.#exceptions.set(name, { version });
  }

  /** The client has none of these, whatever it was offered. */
  lacks(names: Iterable<string>): void {
    for (const name of names) this.#exceptions.set(name, undefined);
  }

  /** The client has nothing any more. */
  lacksAll(): void {
    this.#offered = new ResourceSet();
    this.#exceptions.clear();
  }

  /** From what the client has to `next`. */
  stepTo(next: ResourceSet): Step {
    const names = new Set([...next.changedSince(this.#offered), ...this.#exceptions.keys()]);
    const changed: VersionedResource[] = [];
    const gone = new Map<string, Had>();
    for (const name of names) {
      if (!this.#wants(name)) continue;
      const resource = next.get(name);
      const had = this.#had(name);
      if (resource === undefined && had !== undefined) gone.set(name, had);
      if (resource !== undefined && resource.version !== had?.version) changed.push(resource);
    }
    return {
      changed,
      gone: [...gone.keys()],
      goneResources: [...gone.values()].flatMap(({ resource }) => resource ?? []),
      taken: (keepsGone) => {
        this.#offered = next;
        this.#exceptions.clear();
        if (keepsGone) for (const [name, had] of gone) this.#exceptions.set(name, had);
      },
    };
  }

  #had(name: string): Had | undefined {
    if (this.#exceptions.has(name)) return this.#exceptions.get(name);
    const resource = this.#offered.get(name);
    return resource && { version: resource.version, resource };
  }
}
