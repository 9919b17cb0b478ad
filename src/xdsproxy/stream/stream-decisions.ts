/**
 * What is decided about one stream beside its state. Pure.
 */
import { typeUrl } from "../../xds/type-urls.ts";
import type { StreamState } from "./stream-state.ts";

/** What is known of the cache, and of the Envoy that it would serve. */
export interface CacheFacts {
  /** There are files that could be served. */
  readonly isThere: boolean;
  /** Envoy has shown that it has listeners from an earlier stream: it serves without the cache. */
  readonly envoyHasListeners: boolean;
}

/** True when the cache serves, or may come to. */
export function cacheMayHelp(state: StreamState, { isThere, envoyHasListeners }: CacheFacts): boolean {
  if (state.kind === "waiting") return isThere && !state.cacheIsUseless && !envoyHasListeners;
  return state.kind === "cached";
}

/**
 * What follows the end of a connection. Envoy's stream ends with it, so that Envoy begins anew; an Envoy that the
 * cache may help is kept, and the connection tried again.
 *
 * @param isOver Envoy is gone or done, or the proxy closes
 */
export function afterConnection(
  state: StreamState,
  end: { readonly hasAnswered: boolean },
  facts: CacheFacts,
  isOver: boolean,
): "end" | "dial again" {
  return isOver || end.hasAnswered || !cacheMayHelp(state, facts) ? "end" : "dial again";
}

/** True for a response that a newcomer is not to have yet: Envoy begins to serve with its first listeners. */
export function isHeldBack(type: string, isHolding: boolean): boolean {
  return isHolding && type === typeUrl.listener;
}
