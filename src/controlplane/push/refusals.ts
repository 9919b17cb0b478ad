/**
 * What one proxy refuses, of all types: each resource costs itself only, and what was good before stays in its place.
 */
import type { VersionedResource } from "../../xds/delta-subscription.ts";
import { type Held, HeldResources } from "./held-resources.ts";
import type { LastGoodResources } from "./last-good.ts";
import type { ResourceSet } from "./layer.ts";
import type { Subscription } from "./protocol.ts";
import { type SentResponse, SentResponses } from "./sent-responses.ts";
import { inPlaceOfUnknown } from "./snapshot.ts";
import type { RefusedResource, TypeSync } from "./status.ts";
import type { ToldRefusals } from "./told-refusals.ts";
import type { Snapshot } from "./translations.ts";

/** What all streams share of it. */
export interface RefusalsContext {
  readonly refusals: Pick<ToldRefusals, "tell">;
  readonly lastGood: LastGoodResources;
}

/** Of one stream. */
export class Refusals {
  readonly #proxy: string;
  readonly #context: RefusalsContext;
  readonly #snapshot: () => Snapshot;
  readonly #sent = new SentResponses();
  readonly #held = new Map<string, HeldResources>();

  constructor(proxy: string, context: RefusalsContext, snapshot: () => Snapshot) {
    this.#proxy = proxy;
    this.#context = context;
    this.#snapshot = snapshot;
  }

  /** The proxy asks for resources of the type. */
  subscribed(typeUrl: string, subscription: Subscription): void {
    const { lastGood } = this.#context;
    const scopeOf = (name: string): string => this.#snapshot().scopeOf(typeUrl, name);
    const held = new HeldResources(subscription, {
      find: (name) => lastGood.find(scopeOf(name), typeUrl, name) ?? inPlaceOfUnknown(typeUrl, name),
      keep: (resource: VersionedResource) => {
        lastGood.keep(scopeOf(resource.name), typeUrl, resource);
      },
    });
    this.#held.set(typeUrl, held);
  }

  /** What the proxy is to have for these. */
  over(typeUrl: string, resources: ResourceSet): ResourceSet {
    return this.#held.get(typeUrl)?.over(resources) ?? resources;
  }

  /** A response is about to be written. */
  sent(typeUrl: string, nonce: string, response: SentResponse): void {
    this.#sent.add(typeUrl, nonce, response);
  }

  /** The proxy has taken the response, or refused it with these words. */
  answered(typeUrl: string, nonce: string, error: string | undefined): void {
    const sent = this.#sent.answered(typeUrl, nonce);
    const newest = this.#snapshot().resources.get(typeUrl);
    if (error === undefined || sent === undefined || newest === undefined) return;
    const found = this.#held.get(typeUrl)?.take(sent, error, newest) ?? [];
    this.#sent.refused(typeUrl, sent, sent.changed);
    for (const one of found) this.#context.refusals.tell(this.#proxy, typeUrl, one);
  }

  /** Let the next part go that is to be tried. False when there is none. */
  release(typeUrl: string): boolean {
    return this.#held.get(typeUrl)?.release() ?? false;
  }

  /** What the proxy has of the type is not all of the newest. */
  hasAny(typeUrl: string): boolean {
    return (this.#held.get(typeUrl)?.refused ?? []).length > 0;
  }

  /** What is refused is told with each type, which is not well as long as there is any. */
  toldWith(syncs: Readonly<Record<string, TypeSync>>): Readonly<Record<string, TypeSync>> {
    const entries = Object.entries(syncs).map(([type, sync]): [string, TypeSync] => {
      const refused = (this.#held.get(type)?.refused ?? []).map(toldOf);
      const [first] = refused;
      if (first === undefined) return [type, sync];
      return [type, { ...sync, error: sync.error ?? `${first.name}: ${first.reason}`, refused }];
    });
    return Object.fromEntries(entries);
  }
}

function toldOf({ resource, reason, standIn, brought }: Held): RefusedResource {
  const isServed = standIn !== undefined || brought !== undefined;
  return { name: resource.name, reason, serves: isServed ? "last good" : "nothing" };
}
