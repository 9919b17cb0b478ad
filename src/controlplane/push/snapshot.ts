/**
 * The resources of one proxy at one moment, encoded and versioned by content.
 */
import { createHash } from "node:crypto";
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { VersionedResource } from "../../xds/delta-subscription.ts";
import type { Model } from "../model/model.ts";
import type { Proxy } from "../model/proxy.ts";
import { encodeParts, type Fault } from "../networking/encode-parts.ts";
import {
  type GeneratedResource,
  type PushedType,
  pushedTypes,
  resourcesOf,
} from "../networking/pushed-types.ts";
import { viewOf } from "../networking/view.ts";

/** Resources by type URL and name. */
export type ResourcesByType = ReadonlyMap<string, ReadonlyMap<string, VersionedResource>>;

/** What a proxy is to have. */
export interface Snapshot {
  readonly resources: ResourcesByType;
  /** What is missing in it, or is as it was before. */
  readonly faults: readonly Fault[];
}

const types: readonly PushedType[] = Object.values(pushedTypes);

/** Types in the order in which they are pushed. */
export const pushOrder: readonly string[] = types.map(({ typeUrl }) => typeUrl);

const none: ResourcesByType = new Map(pushOrder.map((type) => [type, new Map()]));

/** Generate and encode for one proxy. What cannot be is as it was in `previous`, if there. Never throws. */
export function takeSnapshot(model: Model, proxy: Proxy, previous: ResourcesByType = none): Snapshot {
  let generated: readonly (readonly [type: PushedType, resources: readonly GeneratedResource[]])[];
  try {
    const view = viewOf(model, proxy);
    generated = types.map((type) => [type, resourcesOf(type, view)]);
  } catch (error) {
    return { resources: previous, faults: [{ part: "all resources", reason: errorMessage(error) }] };
  }
  const faults: Fault[] = [];
  const encodeAll = (
    type: PushedType,
    resources: readonly GeneratedResource[],
  ): ReadonlyMap<string, VersionedResource> => {
    const encoded = new Map<string, VersionedResource>();
    for (const { name, json } of resources) {
      const { bytes, faults: own } = encodeParts(type, name, json);
      faults.push(...own);
      const resource =
        bytes === undefined
          ? (previous.get(type.typeUrl)?.get(name) ?? inPlaceOf(type, name))
          : versioned(name, bytes);
      if (resource !== undefined) encoded.set(name, resource);
    }
    return encoded;
  };
  const resources = new Map(generated.map(([type, list]) => [type.typeUrl, encodeAll(type, list)]));
  return { resources, faults };
}

/** What a proxy is told that asks for something that is not there; undefined where it does not wait for it. */
export function inPlaceOfUnknown(typeUrl: string, name: string): VersionedResource | undefined {
  const type = types.find((one) => one.typeUrl === typeUrl);
  return type && inPlaceOf(type, name);
}

function inPlaceOf({ instead, encode }: PushedType, name: string): VersionedResource | undefined {
  return instead && versioned(name, encode(instead(name)));
}

function versioned(name: string, bytes: Uint8Array): VersionedResource {
  return { name, version: createHash("sha256").update(bytes).digest("base64url").slice(0, 16), bytes };
}
