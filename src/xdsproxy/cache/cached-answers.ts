/**
 * Answers Envoy's requests from the cache, as a control plane would that has nothing newer.
 */
import { DeltaSubscription } from "../../xds/delta-subscription.ts";
import { SotwSubscription } from "../../xds/sotw-subscription.ts";
import { typeUrl as types, wildcardTypes } from "../../xds/type-urls.ts";
import type { TypeResources } from "./cached-type.ts";
import type { AdsProtocol, LocalResponse, RequestFacts } from "../../xds/protocol.ts";

/** A type that was never acknowledged: an empty answer lets Envoy go on without it. */
const nothing: TypeResources = { version: "", resources: new Map() };

/** Answers one stream. */
export class CachedAnswers {
  readonly #types: ReadonlyMap<string, TypeResources>;
  readonly #delta = new Map<string, DeltaSubscription>();
  readonly #sotw = new Map<string, SotwSubscription>();
  readonly #protocol: AdsProtocol;
  #nonce = 0;

  constructor(protocol: AdsProtocol, types: ReadonlyMap<string, TypeResources>) {
    this.#protocol = protocol;
    this.#types = types;
  }

  /** The answer to a request; undefined when it asks nothing, or asks for secrets, which are never cached. */
  answer(request: RequestFacts): LocalResponse | undefined {
    if (request.typeUrl === types.secret) return undefined;
    const type = this.#types.get(request.typeUrl) ?? nothing;
    return this.#protocol.isDelta ? this.#answerDelta(type, request) : this.#answerWhole(type, request);
  }

  #answerDelta({ version, resources }: TypeResources, request: RequestFacts): LocalResponse | undefined {
    const { typeUrl } = request;
    let subscription = this.#delta.get(typeUrl);
    if (subscription === undefined) {
      subscription = new DeltaSubscription(wildcardTypes.has(typeUrl));
      this.#delta.set(typeUrl, subscription);
    }
    const asks = subscription.receive({
      resourceNamesSubscribe: request.names,
      resourceNamesUnsubscribe: request.unsubscribed,
      initialResourceVersions: request.known,
    });
    if (!asks) return undefined;
    const difference = subscription.difference(resources);
    subscription.sent(difference);
    // What is not there is said to be gone, or Envoy would wait for it.
    const missing = request.names.filter((name) => name !== "*" && !resources.has(name));
    return {
      typeUrl,
      nonce: this.#nextNonce(),
      version,
      resources: difference.changed,
      removed: [...new Set([...difference.removed, ...missing])],
    };
  }

  #answerWhole({ version, resources }: TypeResources, request: RequestFacts): LocalResponse | undefined {
    const { typeUrl, names, nonce, error } = request;
    let subscription = this.#sotw.get(typeUrl);
    if (subscription === undefined) {
      subscription = new SotwSubscription(wildcardTypes.has(typeUrl));
      this.#sotw.set(typeUrl, subscription);
    }
    const { kind } = subscription.receive({
      resourceNames: names,
      responseNonce: nonce,
      errorDetail: error === undefined ? undefined : { message: error },
    });
    if (kind !== "respond") return undefined;
    const wanted = [...resources.values()].filter(({ name }) => subscription.wants(name));
    const next = this.#nextNonce();
    subscription.sent(next);
    return { typeUrl, nonce: next, version, resources: wanted, removed: [] };
  }

  #nextNonce(): string {
    this.#nonce += 1;
    return `cached-${this.#nonce}`;
  }
}
