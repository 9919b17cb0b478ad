/**
 * What Envoy has acknowledged of one type, as a fold over its responses. Pure.
 */
import type { WireResource } from "./wire-resource.ts";

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

/** Changes that are not on disk yet. */
export interface PendingChanges {
  /** What is on disk counts no more. */
  readonly full: boolean;
  readonly version: string;
  /** Undefined for one that is gone. */
  readonly entries: ReadonlyMap<string, WireResource | undefined>;
  readonly bytes: number;
}

/** `pending` with one more update. */
export function withUpdate(
  pending: PendingChanges | undefined,
  { full, version, changed, removed }: AcknowledgedUpdate,
): PendingChanges {
  const entries = new Map(full ? [] : pending?.entries);
  for (const resource of changed) entries.set(resource.name, resource);
  for (const name of removed) entries.set(name, undefined);
  let bytes = 0;
  for (const resource of entries.values()) bytes += resource?.bytes.length ?? 0;
  return { full: full || pending?.full === true, version, entries, bytes };
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
