/**
 * What one client wants of one type in the state-of-the-world protocol, and what it has acknowledged
 * (Envoy's xDS protocol documentation, "ACK/NACK and resource type instance version").
 */

/** The fields of a DiscoveryRequest that decide. */
export interface SotwRequest {
  readonly resourceNames: readonly string[];
  readonly responseNonce: string;
  readonly errorDetail?: { readonly message: string } | undefined;
}

/** What a request means for the server. */
export type SotwVerdict =
  | { readonly kind: "respond" }
  | { readonly kind: "ack" }
  | { readonly kind: "nack"; readonly message: string }
  | { readonly kind: "stale" };

/** One subscription. Types such as Cluster treat an empty list as "all"; secrets treat it as "none". */
export class SotwSubscription {
  readonly #emptyMeansAll: boolean;
  #names: ReadonlySet<string> = new Set();
  #nonce = "";
  #asked = false;

  constructor(emptyMeansAll: boolean) {
    this.#emptyMeansAll = emptyMeansAll;
  }

  /** True when the client wants the resource. */
  wants(name: string): boolean {
    return (
      this.#names.has(name) ||
      this.#names.has("*") ||
      (this.#emptyMeansAll && this.#asked && this.#names.size === 0)
    );
  }

  /** The names asked for; empty for "all" and for "none". */
  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** Take in a request and decide what it calls for. */
  receive(request: SotwRequest): SotwVerdict {
    // A request that answers an older response says nothing about the newest one.
    if (this.#asked && request.responseNonce !== "" && request.responseNonce !== this.#nonce)
      return { kind: "stale" };
    const first = !this.#asked || request.responseNonce === "";
    const previous = this.#names;
    this.#asked = true;
    this.#names = new Set(request.resourceNames);
    if (request.errorDetail !== undefined) return { kind: "nack", message: request.errorDetail.message };
    const added = request.resourceNames.some((name) => !previous.has(name));
    return first || added ? { kind: "respond" } : { kind: "ack" };
  }

  /** Remember the response that later requests answer. */
  sent(nonce: string): void {
    this.#nonce = nonce;
  }
}
