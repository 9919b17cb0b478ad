/** Listeners, their filter chains and filters, as EnvoyFilters change them. */
import type { ListenerJson } from "../../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import type { Json, JsonObject } from "../../config/json-value.ts";
import type { Patch } from "../../model/patches.ts";
import {
  changedFilters,
  isMerging,
  listOf,
  merged,
  mergedExtension,
  type Patches,
  patchesTo,
} from "./apply.ts";
import { isObject } from "./merge-json.ts";
import { addedBy, changedFrom } from "./changed-resources.ts";
import { patchedRoutes } from "./routes.ts";

const connectionManager = "envoy.filters.network.http_connection_manager";

/** Listeners whose chains are of several ports. */
const virtual: readonly (Json | undefined)[] = ["virtualInbound", "virtualOutbound"];

/** All of a proxy's for one direction. */
export function patchedListeners(
  listeners: readonly ListenerJson[],
  patches: Patches,
): readonly ListenerJson[] {
  if (patches.list.length === 0) return listeners;
  const kept = (listeners as readonly JsonObject[]).flatMap((each) =>
    patchedListener(each, patches).map((listener) =>
      changedFrom(listener, {
        original: each,
        patches,
        again: (fewer) => patchedListener(each, fewer)[0],
      }),
    ),
  );
  const added = patchesTo(patches, "LISTENER").flatMap((patch): readonly JsonObject[] => {
    const isForBoth = (patch.match.context ?? "ANY") === "ANY" && patches.context === "SIDECAR_INBOUND";
    if (patch.operation !== "ADD" || isForBoth) return [];
    patches.applied.add(patch.id);
    return [addedBy(patch)];
  });
  return [...kept, ...added] as readonly ListenerJson[];
}

function patchedListener(given: JsonObject, patches: Patches): readonly JsonObject[] {
  let listener = given;
  for (const patch of patchesTo(patches, "LISTENER")) {
    if (patch.operation === "ADD" || !isListenerMatched(listener, patch)) continue;
    patches.applied.add(patch.id);
    if (patch.operation === "REMOVE") return [];
    if (isMerging(patch)) listener = merged(patch, listener);
  }
  listener = withListenerFilters(listener, patches);
  const chains = listOf(listener["filterChains"]).flatMap((chain) => patchedChain(listener, chain, patches));
  const added = patchesTo(patches, "FILTER_CHAIN").flatMap((patch): readonly JsonObject[] => {
    if (patch.operation !== "ADD" || !isListenerMatched(listener, patch)) return [];
    patches.applied.add(patch.id);
    return [patch.value];
  });
  const otherwise = listener["defaultFilterChain"];
  const [patchedDefault] = isObject(otherwise) ? patchedChain(listener, otherwise, patches) : [];
  const { filterChains: _chains, defaultFilterChain: _default, ...rest } = listener;
  return [
    {
      ...rest,
      filterChains: [...chains, ...added],
      ...(patchedDefault === undefined ? {} : { defaultFilterChain: patchedDefault }),
    },
  ];
}

function withListenerFilters(listener: JsonObject, patches: Patches): JsonObject {
  let filters = listOf(listener["listenerFilters"]);
  for (const patch of patchesTo(patches, "LISTENER_FILTER")) {
    if (!isListenerMatched(listener, patch)) continue;
    const wanted = patch.match.listener?.listenerFilter;
    if (!isMerging(patch)) filters = changedFilters(filters, patch, wanted, patches);
    else if (wanted !== undefined)
      filters = filters.map((filter) => mergedFilter(filter, patch, filter["name"] === wanted, patches));
  }
  return filters.length === 0 ? listener : { ...listener, listenerFilters: filters };
}

function mergedFilter(
  filter: JsonObject,
  patch: Patch,
  isMatched: boolean,
  { applied }: Patches,
): JsonObject {
  if (!isMatched || filter["typedConfig"] === undefined) return filter;
  applied.add(patch.id);
  return mergedExtension(filter, patch.value);
}

function patchedChain(listener: JsonObject, given: JsonObject, patches: Patches): readonly JsonObject[] {
  if (given["filters"] === undefined) return [given];
  let chain = given;
  for (const patch of patchesTo(patches, "FILTER_CHAIN")) {
    if (patch.operation === "ADD" || !isChainMatched(listener, chain, patch)) continue;
    patches.applied.add(patch.id);
    if (patch.operation === "REMOVE") return [];
    if (isMerging(patch)) chain = mergedChain(chain, patch);
  }
  let filters = listOf(chain["filters"]);
  for (const patch of patchesTo(patches, "NETWORK_FILTER")) {
    if (!isMerging(patch) && isChainMatched(listener, chain, patch))
      filters = changedFilters(filters, patch, filterMatch(patch)?.name, patches);
  }
  return [{ ...chain, filters: filters.map((filter) => patchedFilter(listener, chain, filter, patches)) }];
}

/** A transport socket of the same name is merged by itself: what is inside is of one type. */
function mergedChain(chain: JsonObject, patch: Patch): JsonObject {
  const [own, given] = [chain["transportSocket"], patch.value["transportSocket"]];
  if (!isObject(own) || !isObject(given) || own["name"] !== given["name"]) return merged(patch, chain);
  return { ...chain, transportSocket: mergedExtension(own, given) };
}

function patchedFilter(
  listener: JsonObject,
  chain: JsonObject,
  given: JsonObject,
  patches: Patches,
): JsonObject {
  let filter = given;
  for (const patch of patchesTo(patches, "NETWORK_FILTER")) {
    if (!isMerging(patch) || !isChainMatched(listener, chain, patch)) continue;
    const wanted = filterMatch(patch)?.name;
    filter = mergedFilter(filter, patch, wanted === undefined || wanted === filter["name"], patches);
  }
  return filter["name"] === connectionManager ? patchedManager(listener, chain, filter, patches) : filter;
}

function patchedManager(
  listener: JsonObject,
  chain: JsonObject,
  filter: JsonObject,
  patches: Patches,
): JsonObject {
  const config = filter["typedConfig"];
  if (!isObject(config)) return filter;
  let filters = listOf(config["httpFilters"]);
  const matching = patchesTo(patches, "HTTP_FILTER").filter((patch) => {
    const wanted = filterMatch(patch)?.name;
    return isChainMatched(listener, chain, patch) && (wanted === undefined || wanted === connectionManager);
  });
  for (const patch of matching)
    if (!isMerging(patch))
      filters = changedFilters(filters, patch, filterMatch(patch)?.subFilter?.name, patches);
  filters = filters.map((each) =>
    matching.filter(isMerging).reduce((sum, patch) => {
      const wanted = filterMatch(patch)?.subFilter?.name;
      return mergedFilter(sum, patch, wanted === undefined || wanted === sum["name"], patches);
    }, each),
  );
  // What a sidecar serves is routed by a configuration that stands in the listener.
  const routes = config["routeConfig"];
  return {
    ...filter,
    typedConfig: {
      ...config,
      httpFilters: filters,
      ...(isObject(routes) ? { routeConfig: patchedRoutes(routes, patches) } : {}),
    },
  };
}

function filterMatch({
  match,
}: Patch): NonNullable<NonNullable<Patch["match"]["listener"]>["filterChain"]>["filter"] {
  return match.listener?.filterChain?.filter;
}

function isListenerMatched({ name, address }: JsonObject, { match, applyTo }: Patch): boolean {
  const wanted = match.listener;
  if (wanted === undefined) return true;
  if (wanted.name !== undefined && wanted.name !== name) return false;
  if (wanted.portNumber === undefined || (applyTo !== "LISTENER" && virtual.includes(name))) return true;
  const socket = isObject(address) ? address["socketAddress"] : undefined;
  return isObject(socket) && socket["portValue"] === wanted.portNumber;
}

function isChainMatched(listener: JsonObject, chain: JsonObject, patch: Patch): boolean {
  if (!isListenerMatched(listener, patch)) return false;
  const wanted = patch.match.listener;
  if (wanted === undefined) return true;
  const match = isObject(chain["filterChainMatch"]) ? chain["filterChainMatch"] : {};
  const has = (field: string, value: string): boolean => {
    const list = match[field];
    return Array.isArray(list) && (list as readonly Json[]).includes(value);
  };
  const { portNumber, filterChain = {} } = wanted;
  const { name, sni, transportProtocol, applicationProtocols, destinationPort } = filterChain;
  return (
    (portNumber === undefined ||
      !virtual.includes(listener["name"]) ||
      match["destinationPort"] === portNumber) &&
    (name === undefined || name === chain["name"]) &&
    (sni === undefined || has("serverNames", sni)) &&
    (transportProtocol === undefined || transportProtocol === match["transportProtocol"]) &&
    (applicationProtocols === undefined ||
      applicationProtocols.split(",").every((each) => has("applicationProtocols", each))) &&
    (destinationPort === undefined || destinationPort === match["destinationPort"])
  );
}
