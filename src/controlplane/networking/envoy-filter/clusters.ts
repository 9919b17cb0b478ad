/** Clusters, as EnvoyFilters change them. */
import type { ClusterJson } from "../../../proto/envoy/envoy/config/cluster/v3/cluster_pb.js";
import type { Json, JsonObject } from "../../config/json-value.ts";
import type { Patch } from "../../model/patches.ts";
import { isMerging, listOf, merged, mergedExtension, type Patches, patchesTo } from "./apply.ts";
import { addedBy, changedFrom } from "./changed-resources.ts";
import { isObject } from "./merge-json.ts";

/** @param hostsOf the services behind a cluster that has none in its name */
export function patchedClusters(
  clusters: readonly ClusterJson[],
  patches: Patches,
  hosts: readonly string[] = [],
  adds = true,
): readonly ClusterJson[] {
  const own = patchesTo(patches, "CLUSTER");
  if (own.length === 0) return clusters;
  const kept = (clusters as readonly JsonObject[]).flatMap((each) =>
    patched(each, own, hosts, patches).map((cluster) =>
      changedFrom(cluster, {
        original: each,
        patches: { ...patches, list: own },
        again: (fewer) => patched(each, fewer.list, hosts, fewer)[0],
      }),
    ),
  );
  const added = own.flatMap((patch): readonly JsonObject[] => {
    const isForBoth = (patch.match.context ?? "ANY") === "ANY" && patches.context === "SIDECAR_INBOUND";
    if (patch.operation !== "ADD" || isForBoth || !adds) return [];
    patches.applied.add(patch.id);
    return [addedBy(patch)];
  });
  return [...kept, ...added] as readonly ClusterJson[];
}

function patched(
  given: JsonObject,
  own: readonly Patch[],
  hosts: readonly string[],
  { applied }: Patches,
): readonly JsonObject[] {
  let cluster = given;
  for (const patch of own) {
    if (patch.operation === "ADD" || !isMatched(cluster["name"], patch, hosts)) continue;
    applied.add(patch.id);
    if (patch.operation === "REMOVE") return [];
    if (isMerging(patch)) cluster = mergedCluster(cluster, patch);
  }
  return [cluster];
}

/** A transport socket is merged into the one of its name, wherever the cluster has that. */
function mergedCluster(cluster: JsonObject, patch: Patch): JsonObject {
  const given = patch.value["transportSocket"];
  if (!isObject(given)) return merged(patch, cluster);
  const matches = listOf(cluster["transportSocketMatches"]);
  if (matches.length > 0) {
    const at = matches.findIndex(
      ({ transportSocket }) => isObject(transportSocket) && transportSocket["name"] === given["name"],
    );
    const found = matches[at];
    const socket = found?.["transportSocket"];
    // Envoy takes no cluster that has both.
    if (found === undefined || !isObject(socket)) return cluster;
    const changed = { ...found, transportSocket: mergedExtension(socket, given) };
    return { ...cluster, transportSocketMatches: matches.with(at, changed) };
  }
  const own = cluster["transportSocket"];
  const isSame = isObject(own) && own["name"] === given["name"];
  return { ...cluster, transportSocket: isSame ? mergedExtension(own, given) : given };
}

function isMatched(name: Json | undefined, { match }: Patch, hosts: readonly string[]): boolean {
  const wanted = match.cluster;
  if (wanted === undefined) return true;
  const own = typeof name === "string" ? name : "";
  if (wanted.name !== undefined) return wanted.name === own;
  const [direction = "", port = "", subset = "", host = ""] = own.split("|");
  const named = direction === "inbound" && hosts.length > 0 ? hosts : [host];
  return (
    (wanted.subset === undefined || wanted.subset === subset) &&
    (wanted.service === undefined || named.includes(wanted.service)) &&
    (wanted.portNumber === undefined || String(wanted.portNumber) === port)
  );
}
