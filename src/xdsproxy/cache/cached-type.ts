/**
 * What Envoy has acknowledged of one type, put together of its responses.
 */
import type { WireResource } from "../../xds/wire-resource.ts";

/** An acknowledged response. */
export interface AcknowledgedUpdate {
  readonly typeUrl: string;
  /** True when it holds everything that there is of the type, not only what changed. */
  readonly full: boolean;
  /** Version of the whole. */
  readonly version: string;
  readonly changed: readonly WireResource[];
  readonly removed: readonly string[];
}

/** Resources of a type by name. */
export interface TypeResources {
  readonly version: string;
  readonly resources: ReadonlyMap<string, WireResource>;
}

/** Changes that are not on disk yet: each response is added to those before it. */
export class PendingChanges {
  #full = false;
  #version = "";
  #bytes = 0;
  #updates = 0;
  readonly #entries = new Map<string, WireResource | undefined>();

  /** True when what is on disk counts no more. */
  get full(): boolean {
    return this.#full;
  }

  /** Of the last response. */
  get version(): string {
    return this.#version;
  }

  /** Undefined for one that is gone. */
  get entries(): ReadonlyMap<string, WireResource | undefined> {
    return this.#entries;
  }

  /** Of the resources. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many responses are in it. */
  get updates(): number {
    return this.#updates;
  }

  add({ full, version, changed, removed }: Omit<AcknowledgedUpdate, "typeUrl">): void {
    if (full) {
      this.#full = true;
      this.#entries.clear();
      this.#bytes = 0;
    }
    for (const resource of changed) this.#put(resource.name, resource);
    for (const name of removed) this.#put(name, undefined);
    this.#version = version;
    this.#updates += 1;
  }

  #put(name: string, resource: WireResource | undefined): void {
    this.#bytes += (resource?.bytes.length ?? 0) - (this.#entries.get(name)?.bytes.length ?? 0);
    this.#entries.set(name, resource);
  }
}

/** `stored` with what is not on disk yet. */
export function withPending(stored: TypeResources | undefined, pending: PendingChanges): TypeResources {
  const resources = new Map(pending.full ? [] : stored?.resources);
  for (const [name, resource] of pending.entries) {
    if (resource === undefined) resources.delete(name);
    else resources.set(name, resource);
  }
  return { version: pending.version || (stored?.version ?? ""), resources };
}
