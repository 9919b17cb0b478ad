/**
 * A response that Envoy has refused, and the responses that are made of it: parts of it, and what is left of it in
 * the end.
 *
 * In delta, and of a type that is asked for by name, a part is sent by itself. In state of the world every response
 * of clusters and listeners has to be the whole: what is not in the part is then as Envoy last accepted it.
 */
import { wildcardTypes } from "../xds/type-urls.ts";
import type { AcceptedType } from "./accepted-resources.ts";
import type { AdsProtocol, LocalResponse, ResponseFacts } from "./protocol.ts";
import type { ResponseSource } from "./recorder.ts";
import type { Answered } from "./stream-observer.ts";
import { anyOf, type WireResource } from "./wire-resource.ts";

/** A resource of a response. */
export interface ResponseEntry {
  readonly name: string;
  /** In the form in which resources are kept. */
  readonly resource: () => WireResource;
  /** True when the other one says the same, whatever its version. */
  readonly isLike: (other: WireResource) => boolean;
}

/** The resources of a response; what is no resource has no name. */
export function entriesOf(protocol: AdsProtocol, response: ResponseFacts): readonly ResponseEntry[] {
  return response.resources.map((view) => ({
    name: nameOrNone(protocol, view),
    resource: () => protocol.readResource(view, response.version),
    isLike: (other) => Buffer.compare(protocol.isDelta ? anyOf(view) : view, anyOf(other.bytes)) === 0,
  }));
}

const maxTriedBytes = 268_435_456;
const maxParts = 64;
const leastParts = 4;

/** What is made of one refused response. */
export class RefusedResponse {
  readonly typeUrl: string;
  readonly source: ResponseSource;
  /** It held everything that there is of the type. */
  readonly full: boolean;
  readonly goesToCache: boolean;
  readonly entries: readonly ResponseEntry[];
  readonly #protocol: AdsProtocol;
  readonly #removed: readonly string[];
  /** A response has to be the whole. */
  readonly #isWhole: boolean;
  readonly #trusted = new Set<ResponseEntry>();
  readonly #superseded = new Set<string>();
  readonly #bytes: number;
  #isReplaced = false;
  #wasTried = false;
  /** Envoy has taken what it takes away. */
  #isRemoved = false;

  constructor(protocol: AdsProtocol, { response, source, full, goesToCache }: Answered) {
    this.#protocol = protocol;
    this.typeUrl = response.typeUrl;
    this.source = source;
    this.full = full;
    this.goesToCache = goesToCache;
    this.#isWhole = !protocol.isDelta && wildcardTypes.has(response.typeUrl);
    this.#removed = response.removed;
    this.entries = entriesOf(protocol, response);
    this.#bytes = response.resources.reduce((sum, { length }) => sum + length, 0);
  }

  /** True when a later response has said everything anew. */
  get isReplaced(): boolean {
    return this.#isReplaced;
  }

  /** True when later responses have said everything of it anew. */
  get isOver(): boolean {
    return (
      this.#isReplaced ||
      (this.entries.length > 0 && this.entries.every(({ name }) => this.#superseded.has(name)))
    );
  }

  /** Parts that may be tried: where each has to be the whole, they are not to come to more than `maxTriedBytes`. */
  get maxTries(): number {
    const tries = this.#isWhole ? Math.floor(maxTriedBytes / Math.max(this.#bytes, 1)) : maxParts;
    return Math.min(Math.max(tries, leastParts), maxParts);
  }

  /** True once a part has been sent. */
  get wasTried(): boolean {
    return this.#wasTried;
  }

  /** What Envoy is known to accept of it. */
  get trusted(): readonly ResponseEntry[] {
    return this.entries.filter((entry) => this.#isTrusted(entry));
  }

  /** Names that it took away. */
  get removed(): readonly string[] {
    return this.#removed.filter((name) => !this.#superseded.has(name));
  }

  isSuperseded(name: string): boolean {
    return this.#superseded.has(name);
  }

  /** A later response goes to Envoy: of its resources this one says nothing any more. */
  isFollowedBy(later: ResponseFacts): void {
    if (later.typeUrl !== this.typeUrl) return;
    if (this.#isWhole) this.#isReplaced = true;
    for (const name of later.removed) this.#superseded.add(name);
    for (const view of later.resources) this.#superseded.add(nameOrNone(this.#protocol, view));
  }

  /** True when no part of it would take from Envoy what it has and nobody else could give back. */
  canSpare(known: AcceptedType | undefined): boolean {
    if (!this.#isWhole) return true;
    return (
      known !== undefined &&
      this.entries.every(({ name }) => !known.has(name) || known.get(name) !== undefined)
    );
  }

  /** Envoy accepts these. */
  trust(entries: readonly ResponseEntry[]): void {
    for (const entry of entries) this.#trusted.add(entry);
  }

  /** Envoy has accepted the response that was made for this part. */
  took(part: readonly ResponseEntry[]): void {
    this.trust(part);
    this.#isRemoved = true;
  }

  /** The response that has `part` as it came; undefined when nothing of it counts any more. */
  attempt(
    part: readonly ResponseEntry[],
    known: AcceptedType | undefined,
  ): Omit<LocalResponse, "nonce"> | undefined {
    const live = part.filter(({ name }) => !this.#superseded.has(name));
    if (live.length === 0) return undefined;
    const removed = this.#isRemoved ? [] : this.removed;
    this.#wasTried = true;
    const tried = new Set(live);
    return {
      ...{ typeUrl: this.typeUrl, version: known?.version ?? "", removed },
      resources: this.#isWhole
        ? this.#compose((entry) => tried.has(entry) || this.#isTrusted(entry), known)
        : live.map(({ resource }) => resource()),
    };
  }

  /** Those of `refused` that an accepted one can take the place of. */
  replaceable(refused: readonly ResponseEntry[], known: AcceptedType | undefined): readonly ResponseEntry[] {
    return refused.filter((entry) => {
      const last = known?.get(entry.name);
      return last !== undefined && !entry.isLike(last) && !this.#superseded.has(entry.name);
    });
  }

  /** The response that leaves Envoy with what is accepted; undefined when there is nothing to send. */
  end(
    refused: readonly ResponseEntry[],
    known: AcceptedType | undefined,
  ): Omit<LocalResponse, "nonce"> | undefined {
    const resources = this.#isWhole
      ? this.#compose((entry) => this.#isTrusted(entry), known)
      : this.replaceable(refused, known).flatMap(({ name }) => known?.get(name) ?? []);
    const removed = this.#isRemoved ? [] : this.removed;
    if (resources.length === 0 && removed.length === 0 && !this.#isWhole) return undefined;
    return { typeUrl: this.typeUrl, version: known?.version ?? "", resources, removed };
  }

  #isTrusted(entry: ResponseEntry): boolean {
    return this.#trusted.has(entry) && !this.#superseded.has(entry.name);
  }

  #compose(
    isAsItCame: (entry: ResponseEntry) => boolean,
    known: AcceptedType | undefined,
  ): readonly WireResource[] {
    return this.entries.flatMap((entry) => {
      if (isAsItCame(entry)) return [entry.resource()];
      return this.replaceable([entry], known).length > 0 ? (known?.get(entry.name) ?? []) : [];
    });
  }
}

function nameOrNone(protocol: AdsProtocol, view: Uint8Array): string {
  try {
    return protocol.nameOf(view);
  } catch {
    return "";
  }
}
