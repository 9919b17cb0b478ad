/** Extensions in front of what a sidecar's own application calls, put into listeners that are made already. */
import type {
  FilterChainJson,
  FilterJson,
} from "../../../proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import type { ListenerJson } from "../../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import { extensionsFor } from "../../model/extensions.ts";
import type { ProxyView } from "../view.ts";
import { everyPhase, extensionFilters } from "./filters.ts";

/** Nothing on the way out has a policy, so that they are first in every phase. What passes as it is passes them by, as in Istio. */
export function withExtensions(
  listeners: readonly ListenerJson[],
  { model, proxy }: Pick<ProxyView, "model" | "proxy">,
): readonly ListenerJson[] {
  const extensions = extensionsFor(model, proxy);
  if (extensions.length === 0) return listeners;
  return listeners.map((listener) => {
    const port = listener.address?.socketAddress?.portValue ?? 0;
    const filters = extensionFilters(extensions, { port, side: "CLIENT" });
    const requests = everyPhase(filters.http);
    const connections = everyPhase(filters.network);
    if (requests.length === 0 && connections.length === 0) return listener;
    const extended = (chain: FilterChainJson): FilterChainJson =>
      passing.some((name) => chain.name?.startsWith(name))
        ? chain
        : {
            ...chain,
            filters: [...connections, ...(chain.filters ?? []).map((filter) => withFirst(filter, requests))],
          };
    return {
      ...listener,
      ...(listener.filterChains === undefined ? {} : { filterChains: listener.filterChains.map(extended) }),
      ...(listener.defaultFilterChain === undefined
        ? {}
        : { defaultFilterChain: extended(listener.defaultFilterChain) }),
    };
  });
}

/** How the names of chains begin that lead to where nothing is declared. */
const passing: readonly string[] = ["PassthroughFilterChain", "virtualOutbound"];

function withFirst(filter: FilterJson, first: readonly object[]): FilterJson {
  const { name, typedConfig } = filter;
  if (name !== "envoy.filters.network.http_connection_manager" || typedConfig === undefined) return filter;
  const filters: unknown = Reflect.get(typedConfig, "httpFilters");
  const list = Array.isArray(filters) ? (filters as readonly object[]) : [];
  const changed: object = { httpFilters: [...first, ...list] };
  return { ...filter, typedConfig: { ...typedConfig, ...changed } };
}
