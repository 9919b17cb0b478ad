/**
 * What one client has of one type. It has what it was offered last, but for exceptions, so that it costs no memory of its
 * own for each resource, and no time for those that are as they were.
 */
import type { VersionedResource } from "../../xds/delta-subscription.ts";
import { ResourceSet } from "./layer.ts";

/** Something that a client has; of what it brought along only the version is known. */
export type Had = Pick<VersionedResource, "version"> & { readonly resource?: VersionedResource };

/** What separates a client from a newer state. */
export interface Step {
  /** What it is to get. */
  readonly changed: readonly VersionedResource[];
  /** What it has and is to have no longer. */
  readonly gone: readonly string[];
  /** The same as far as its bytes are known. */
  readonly goneResources: readonly VersionedResource[];
  /** What it has of that name. */
  readonly before: (name: string) => Had | undefined;
  /** The client has taken the step. @param keepsGone it still has what is gone */
  readonly taken: (keepsGone: boolean) => void;
}

/** One client's state. */
export class ClientState {
  readonly #wants: (name: string) => boolean;
  #offered = new ResourceSet();
  #exceptions = new Map<string, Had | undefined>();

  constructor(wants: (name: string) => boolean) {
    this.#wants = wants;
  }

  /** The client has this, whatever it was offered: it says so, or has refused what came after it. */
  has(name: string, had: Had): void {
    this.#exceptions.set(name, had);
  }

  /** The client has none of these, whatever it was offered. */
  lacks(names: Iterable<string>): void {
    for (const name of names) this.#exceptions.set(name, undefined);
  }

  /** The client has nothing any more. */
  lacksAll(): void {
    this.#offered = new ResourceSet();
    this.#exceptions = new Map();
  }

  /** From what the client has to `next`. */
  stepTo(next: ResourceSet): Step {
    const names = new Set([...next.changedSince(this.#offered), ...this.#exceptions.keys()]);
    const before = this.#state();
    const changed: VersionedResource[] = [];
    const gone = new Map<string, Had>();
    for (const name of names) {
      if (!this.#wants(name)) continue;
      const resource = next.get(name);
      const had = before(name);
      if (resource === undefined && had !== undefined) gone.set(name, had);
      if (resource !== undefined && resource.version !== had?.version) changed.push(resource);
    }
    return {
      changed,
      gone: [...gone.keys()],
      goneResources: [...gone.values()].flatMap(({ resource }) => resource ?? []),
      before,
      taken: (keepsGone) => {
        this.#offered = next;
        this.#exceptions = new Map();
        if (keepsGone) for (const [name, had] of gone) this.#exceptions.set(name, had);
      },
    };
  }

  /** As it is now: what comes later changes nothing of it. */
  #state(): Step["before"] {
    const [offered, exceptions] = [this.#offered, this.#exceptions];
    return (name) => {
      if (exceptions.has(name)) return exceptions.get(name);
      const resource = offered.get(name);
      return resource && { version: resource.version, resource };
    };
  }
}
