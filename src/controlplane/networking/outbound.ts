/**
 * What a proxy listens on for its application's calls, by the scopes of its Sidecar.
 */
import { namedOutbound } from "./bound.ts";
import { boundServices } from "./bound-services.ts";
import { capturedOutbound, type Outbound } from "./captured.ts";
import { isWildcard } from "./captured-addresses.ts";
import type { ProxyView } from "./view.ts";

/** Listeners and routes of all scopes; each name is there once, and the first of two has it. */
export function outbound(view: ProxyView): Outbound {
  return view.memo.outbound.get([view], () => outboundOf(view));
}

function outboundOf(view: ProxyView): Outbound {
  const captures = view.proxy.interceptionMode !== "NONE";
  // A port that the Sidecar names on no address of its own, or on every one, is not made a second time.
  const taken = new Set(
    view.scopes.flatMap(({ listener }) => {
      if (listener?.port === undefined) return [];
      const isOnLoopback = listener.bind === undefined && listener.captureMode === "NONE";
      return !isOnLoopback && isWildcard(listener.bind ?? "::") ? [listener.port.number] : [];
    }),
  );
  const named = new Set(view.scopes.flatMap(({ listener }) => listener?.port?.number ?? []));
  const parts = view.scopes.map((scope): Outbound => {
    if (scope.listener?.port !== undefined) return namedOutbound(view, scope);
    return captures ? capturedOutbound(view, scope, taken) : boundServices(view, scope, named);
  });
  return {
    listeners: uniqueByName(parts.flatMap(({ listeners }) => listeners)),
    routes: uniqueByName(parts.flatMap(({ routes }) => routes)),
  };
}

/** Of what has one name, the first. */
export function uniqueByName<Item extends { readonly name?: string }>(
  items: readonly Item[],
): readonly Item[] {
  const names = new Set<string>();
  return items.filter(({ name = "" }) => {
    if (names.has(name)) return false;
    names.add(name);
    return true;
  });
}
