/**
 * The resources of one proxy at one moment, encoded and versioned by content.
 */
import { createHash } from "node:crypto";
import type { VersionedResource } from "../../xds/delta-subscription.ts";
import { typeUrl } from "../../xds/type-urls.ts";
import type { Model } from "../model/model.ts";
import type { Proxy } from "../model/proxy.ts";
import { encodeResource, type ResourceKind } from "../networking/encode.ts";
import { translate } from "../networking/translate.ts";

/** Resources by type URL and name. */
export type Snapshot = ReadonlyMap<string, ReadonlyMap<string, VersionedResource>>;

/** Types in the order in which they are pushed: what is referred to comes first. */
export const pushOrder: readonly string[] = [
  typeUrl.cluster,
  typeUrl.endpoint,
  typeUrl.listener,
  typeUrl.route,
];

/** Translate and encode for one proxy. */
export function takeSnapshot(model: Model, proxy: Proxy): Snapshot {
  const { clusters, endpoints, listeners, routes } = translate(model, proxy);
  return new Map([
    [typeUrl.cluster, encodeAll("cluster", clusters, ({ name }) => name)],
    [typeUrl.endpoint, encodeAll("endpoint", endpoints, ({ clusterName }) => clusterName)],
    [typeUrl.listener, encodeAll("listener", listeners, ({ name }) => name)],
    [typeUrl.route, encodeAll("route", routes, ({ name }) => name)],
  ]);
}

function encodeAll<Json extends object>(
  kind: ResourceKind,
  resources: readonly Json[],
  nameOf: (resource: Json) => string | undefined,
): ReadonlyMap<string, VersionedResource> {
  return new Map(
    resources.map((json) => {
      const bytes = encodeResource(kind, json);
      const name = nameOf(json) ?? "";
      const version = createHash("sha256").update(bytes).digest("base64url").slice(0, 16);
      return [name, { name, version, bytes }];
    }),
  );
}
