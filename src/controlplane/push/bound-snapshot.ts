/**
 * What a proxy is to have, and what it was taken to be for that: both of one model, or of models that agree about it.
 */
import { isDeepStrictEqual } from "node:util";
import { GrpcError } from "../../grpc/grpc-error.ts";
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import { type BindingPolicy, bindProxy, type BoundProxy, type Peer } from "../model/bind-proxy.ts";
import type { PublishedModel } from "../model/configured-models.ts";
import type { Proxy } from "../model/proxy.ts";
import type { ProxyTranslation, Snapshot } from "./translations.ts";

/** A proxy that is served. */
export type Bound = Extract<BoundProxy, { readonly kind: "bound" }>;

/** By what a proxy is bound. */
export interface BindingContext {
  readonly models: ReadonlyWatch<PublishedModel>;
  readonly peer: Peer;
  readonly policy: BindingPolicy;
}

/**
 * Of the newest model, for a proxy that says this of itself.
 *
 * @throws GrpcError when this caller may not act as this proxy
 */
export async function takeBound(
  said: Proxy,
  context: BindingContext,
  translation: ProxyTranslation,
): Promise<{ readonly bound: Bound; readonly snapshot: Snapshot }> {
  let { bound, number } = bind(said, context);
  for (;;) {
    const snapshot = await translation.take(bound.proxy);
    if (snapshot.number <= number) return { bound, snapshot };
    // A model that came while another was translated may declare other labels for it, or not declare it any more.
    const before = bound;
    ({ bound, number } = bind(said, context));
    if (isDeepStrictEqual(bound, before)) return { bound, snapshot };
  }
}

function bind(
  said: Proxy,
  { models, peer, policy }: BindingContext,
): { readonly bound: Bound; readonly number: number } {
  const { model, number } = models.current;
  const bound = bindProxy(said, peer, model, policy);
  if (bound.kind === "refused") throw new GrpcError("PERMISSION_DENIED", bound.reason);
  return { bound, number };
}
