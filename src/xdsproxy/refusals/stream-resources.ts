/**
 * What Envoy has accepted on one stream, as far as it tells whether there is something that it keeps when it refuses
 * something newer.
 */
import type { AdsProtocol, ResponseFacts } from "../../xds/protocol.ts";
import { entriesOf } from "./refused-response.ts";

/** Of every type. */
export class StreamResources {
  readonly #protocol: AdsProtocol;
  /** Names by type, of types that are not kept whole. */
  readonly #names = new Map<string, Set<string>>();
  readonly #types = new Set<string>();

  constructor(protocol: AdsProtocol) {
    this.#protocol = protocol;
  }

  /** Envoy has accepted a response. */
  accepted(response: ResponseFacts, goesToCache: boolean): void {
    const { typeUrl, removed } = response;
    this.#types.add(typeUrl);
    if (goesToCache) return;
    const names = this.#names.get(typeUrl) ?? new Set<string>();
    this.#names.set(typeUrl, names);
    for (const { name } of entriesOf(this.#protocol, response)) names.add(name);
    for (const name of removed) names.delete(name);
  }

  /** True when Envoy has accepted something of the type. */
  hasType(typeUrl: string): boolean {
    return this.#types.has(typeUrl);
  }

  /** True when Envoy has accepted something of the type, and of that name unless the cache knows the names. */
  hasName(typeUrl: string, name: string, goesToCache: boolean): boolean {
    return goesToCache ? this.hasType(typeUrl) : this.#names.get(typeUrl)?.has(name) === true;
  }
}
