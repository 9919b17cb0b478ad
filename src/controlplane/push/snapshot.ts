/**
 * The resources of one proxy at one moment, encoded and versioned by content.
 */
import { createHash } from "node:crypto";
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { VersionedResource } from "../../xds/delta-subscription.ts";
import { typeUrl } from "../../xds/type-urls.ts";
import type { Model } from "../model/model.ts";
import type { Proxy } from "../model/proxy.ts";
import type { ResourceKind } from "../networking/encode.ts";
import { encodeParts, type Fault } from "../networking/encode-parts.ts";
import { type Resources, translate } from "../networking/translate.ts";

/** Resources by type URL and name. */
export type ResourcesByType = ReadonlyMap<string, ReadonlyMap<string, VersionedResource>>;

/** What a proxy is to have. */
export interface Snapshot {
  readonly resources: ResourcesByType;
  /** What is missing in it, or is as it was before. */
  readonly faults: readonly Fault[];
}

/** Types in the order in which they are pushed: what is referred to comes first. */
export const pushOrder: readonly string[] = [
  typeUrl.cluster,
  typeUrl.endpoint,
  typeUrl.listener,
  typeUrl.route,
];

const none: ResourcesByType = new Map(pushOrder.map((type) => [type, new Map()]));

/** Translate and encode for one proxy. What cannot be is as it was in `previous`, if there. Never throws. */
export function takeSnapshot(model: Model, proxy: Proxy, previous: ResourcesByType = none): Snapshot {
  let translated: Resources;
  try {
    translated = translate(model, proxy);
  } catch (error) {
    return { resources: previous, faults: [{ part: "all resources", reason: errorMessage(error) }] };
  }
  const { clusters, endpoints, listeners, routes } = translated;
  const faults: Fault[] = [];
  const encodeAll = <Json extends object>(
    type: string,
    kind: ResourceKind,
    resources: readonly Json[],
    nameOf: (resource: Json) => string | undefined,
  ): readonly [string, ReadonlyMap<string, VersionedResource>] => {
    const encoded = new Map<string, VersionedResource>();
    for (const json of resources) {
      const name = nameOf(json) ?? "";
      const { bytes, faults: own } = encodeParts(kind, name, json);
      faults.push(...own);
      const resource = bytes === undefined ? previous.get(type)?.get(name) : versioned(name, bytes);
      if (resource !== undefined) encoded.set(name, resource);
    }
    return [type, encoded];
  };
  const resources = new Map([
    encodeAll(typeUrl.cluster, "cluster", clusters, ({ name }) => name),
    encodeAll(typeUrl.endpoint, "endpoint", endpoints, ({ clusterName }) => clusterName),
    encodeAll(typeUrl.listener, "listener", listeners, ({ name }) => name),
    encodeAll(typeUrl.route, "route", routes, ({ name }) => name),
  ]);
  return { resources, faults };
}

function versioned(name: string, bytes: Uint8Array): VersionedResource {
  return { name, version: createHash("sha256").update(bytes).digest("base64url").slice(0, 16), bytes };
}
