/**
 * What one client of the incremental protocol wants of one type (Envoy's xDS protocol documentation, "Incremental xDS").
 */
import type { DeltaRequest } from "../../xds/delta-subscription.ts";
import { ClientState } from "./client-state.ts";

/** Takes in requests; what the client has follows. */
export class DeltaInterest {
  readonly state = new ClientState((name) => this.wants(name));
  readonly #wildcardType: boolean;
  #wildcard = false;
  #asked = false;
  readonly #names = new Set<string>();

  /** @param wildcardType a first request without names means "all", as for clusters and listeners */
  constructor(wildcardType: boolean) {
    this.#wildcardType = wildcardType;
  }

  /** True when the client is to have the resource of that name. */
  wants(name: string): boolean {
    return this.#wildcard || this.#names.has(name);
  }

  /** Take in a request. True when it is the first, or names something. */
  receive(request: DeltaRequest): boolean {
    const { resourceNamesSubscribe: subscribed, resourceNamesUnsubscribe: unsubscribed } = request;
    const isFirst = !this.#asked;
    this.#asked = true;
    if (isFirst) {
      this.#wildcard = this.#wildcardType && subscribed.length === 0;
      for (const [name, version] of Object.entries(request.initialResourceVersions))
        this.state.has(name, { version });
    }
    for (const name of unsubscribed) {
      if (name === "*") this.#wildcard = false;
      this.#names.delete(name);
    }
    this.state.lacks(unsubscribed);
    for (const name of subscribed) {
      if (name === "*") this.#wildcard = true;
      else this.#names.add(name);
    }
    // Subscribing again asks for the resource again, whatever the client had.
    if (!isFirst && subscribed.includes("*")) this.state.lacksAll();
    else if (!isFirst) this.state.lacks(subscribed);
    return isFirst || subscribed.length > 0;
  }
}
