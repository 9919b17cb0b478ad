/**
 * The resources of one proxy at one moment, encoded and versioned by content.
 */
import { createHash } from "node:crypto";
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { VersionedResource } from "../../xds/delta-subscription.ts";
import { encodeEachPart, encodeParts, type Fault } from "../networking/encode-parts.ts";
import { adderOf, encodeSound } from "../networking/envoy-filter/changed-resources.ts";
import type { EncodingMemo } from "../networking/encoding-memo.ts";
import { type GeneratedResource, type PushedType, pushedTypes } from "../networking/pushed-types.ts";
import { Layer, type ResourceSet } from "./layer.ts";

/** Resources by type URL. */
export type ResourcesByType = ReadonlyMap<string, ResourceSet>;

/** A layer of every type, by type URL. */
export type Layers = ReadonlyMap<string, Layer>;

/** What came of a translation. */
export interface Translated {
  readonly layers: Layers;
  /** What is missing in it, or is as it was before. */
  readonly faults: readonly Fault[];
}

const types: readonly PushedType[] = Object.values(pushedTypes);

/** Types in the order in which they are pushed. */
export const pushOrder: readonly string[] = types.map(({ typeUrl }) => typeUrl);

/** Layers with nothing in them. */
export function noLayers(): Layers {
  return new Map(pushOrder.map((type) => [type, new Layer(new Map())]));
}

/**
 * Generate and encode. What cannot be is as it was in `previous`, if there; a layer in which nothing is other is the
 * previous one itself. Stops between resources, for others to have their turn. Never throws.
 */
export function* translate(
  generate: (type: PushedType) => readonly GeneratedResource[],
  previous: Layers,
  memo: EncodingMemo,
): Generator<void, Translated> {
  const faults: Fault[] = [];
  const layers = new Map<string, Layer>();
  try {
    const generated: (readonly [type: PushedType, resources: readonly GeneratedResource[]])[] = [];
    for (const type of types) {
      generated.push([type, generate(type)]);
      yield;
    }
    for (const [type, list] of generated) {
      const before = previous.get(type.typeUrl);
      const resources = new Map<string, VersionedResource>();
      const names = new Set<string>();
      const adders = new Map<string, string>();
      for (const { name, json } of list) {
        const adder = adderOf(json);
        if (adder !== undefined && names.has(name)) {
          faults.push(takenName(type, name, adder));
          continue;
        }
        if (adder !== undefined) adders.set(name, adder);
        names.add(name);
        const known = memo.resources.get(json);
        if (known === undefined) yield* encodeEachPart(type, json, memo);
        const resource = known ?? encode(type, { name, json }, before, memo, faults);
        if (resource !== undefined) resources.set(name, resource);
        yield;
      }
      const layer = new Layer(resources, adders);
      layers.set(type.typeUrl, before !== undefined && layer.isLike(before) ? before : layer);
    }
  } catch (error) {
    return untranslated(previous, error);
  }
  return { layers, faults };
}

/** What comes of a mesh of which nothing can be made: all stays as it was. */
export function untranslated(previous: Layers, error: unknown): Translated {
  return { layers: previous, faults: [{ part: "all resources", reason: errorMessage(error) }] };
}

/** What an EnvoyFilter adds has a name that is taken. */
function takenName({ kind }: Pick<PushedType, "kind">, name: string, adder: string): Fault {
  return {
    part: `${kind} ${name}, as ${adder} adds it`,
    reason: "there is another of this name, which counts: give this one its own name",
  };
}

/** What one proxy is to have of a type. What an EnvoyFilter adds takes no name that something else has, in either layer. */
export function layersTogether(
  typeUrl: string,
  own: Layer | undefined,
  shared: Layer | undefined,
): { readonly layers: readonly Layer[]; readonly faults: readonly Fault[] } {
  const type = types.find((one) => one.typeUrl === typeUrl);
  if (type === undefined || own === undefined || shared === undefined)
    return { layers: [own, shared].filter((layer) => layer !== undefined), faults: [] };
  const taken = own.takenIn(shared);
  const lost = [
    ...taken.map((name) => [name, own] as const),
    // Of two layers that have one name the first one's counts.
    ...[...shared.takenIn(own), ...shared.addedTwice(own)].map((name) => [name, shared] as const),
  ];
  const faults = lost.map(([name, layer]) => takenName(type, name, layer.adders.get(name) ?? ""));
  return { layers: [own.without(taken), shared], faults };
}

function encode(
  type: PushedType,
  { name, json }: GeneratedResource,
  before: Layer | undefined,
  memo: EncodingMemo,
  faults: Fault[],
): VersionedResource | undefined {
  const encoded = encodeSound(json, (each) => encodeParts(type, name, each, memo));
  faults.push(...encoded.faults);
  const { bytes, version } = encoded;
  const last = before?.resources.get(name);
  if (bytes === undefined) return last ?? inPlaceOf(type, name);
  const resource = last?.version === version ? last : { name, version, bytes };
  // What is not all of it is told each time.
  if (encoded.faults.length === 0) memo.resources.set(json, resource);
  return resource;
}

/** What a proxy is told that asks for something that is not there; undefined where it does not wait for it. */
export function inPlaceOfUnknown(typeUrl: string, name: string): VersionedResource | undefined {
  const type = types.find((one) => one.typeUrl === typeUrl);
  return type && inPlaceOf(type, name);
}

function inPlaceOf({ instead, encode: toBytes }: PushedType, name: string): VersionedResource | undefined {
  if (instead === undefined) return undefined;
  const bytes = toBytes(instead(name));
  return { name, version: createHash("sha256").update(bytes).digest("base64url").slice(0, 16), bytes };
}
