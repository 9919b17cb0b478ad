/**
 * Which EnvoyFilters made a resource what it is: where Envoy would refuse it, it is made again without those at fault, and
 * with all others.
 */
import type { EncodedParts, Fault } from "../encode-parts.ts";
import type { Patch } from "../../model/patches.ts";
import type { Patches } from "./apply.ts";

/** A resource before EnvoyFilters changed it, and how they do. */
interface Change {
  readonly original: object;
  readonly patches: Patches;
  /** With some of the changes only; undefined where these take it away. */
  readonly again: (patches: Patches) => object | undefined;
}

const changes = new WeakMap<object, Change>();
const adders = new WeakMap<object, string>();

/** Note what `patched` was made of. */
export function changedFrom<Patched extends object>(patched: Patched, change: Change): Patched {
  if (patched !== change.original) changes.set(patched, change);
  return patched;
}

/** The resource that an EnvoyFilter adds. */
export function addedBy({ value, object }: Patch): Patch["value"] {
  adders.set(value, object);
  return value;
}

/** The EnvoyFilter that adds the resource; undefined for what is there without any. */
export function adderOf(json: object): string | undefined {
  return adders.get(json);
}

/** The resource as far as it is sound: EnvoyFilters are taken one after the other, each that breaks it is left out and told. */
export function encodeSound(json: object, encode: (json: object) => EncodedParts): EncodedParts {
  const encoded = encode(json);
  if (encoded.faults.length === 0) return encoded;
  const change = changes.get(json);
  if (change === undefined) return told(encoded, adderOf(json), "adds it");
  const { original, patches, again } = change;
  let sound = encode(original);
  const faults: Fault[] = [...sound.faults];
  const kept = new Set<string>();
  for (const object of new Set(patches.list.map((patch) => patch.object))) {
    const list = patches.list.filter((patch) => patch.object === object || kept.has(patch.object));
    const changed = again({ ...patches, list });
    if (changed === undefined) continue;
    const next = encode(changed);
    if (!next.faults.every((fault) => isAmong(fault, sound.faults))) {
      faults.push(...told(next, object, "changes it").faults);
      continue;
    }
    kept.add(object);
    sound = next;
  }
  return { ...sound, faults };
}

function isAmong({ part, reason }: Fault, faults: readonly Fault[]): boolean {
  return faults.some((fault) => fault.part === part && fault.reason === reason);
}

function told(encoded: EncodedParts, object: string | undefined, does: string): EncodedParts {
  if (object === undefined) return encoded;
  const faults = encoded.faults.map(({ part, reason }) => ({
    part: `${part}, as ${object} ${does}`,
    reason,
  }));
  return { ...encoded, faults };
}
