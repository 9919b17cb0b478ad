/**
 * A response that Envoy has refused, and the responses that are made of it: parts of it, and what is left of it in
 * the end.
 *
 * In delta, and of a type that is asked for by name, a part is sent by itself. In state of the world every response
 * of clusters and listeners has to be the whole: what is not in the part is then as Envoy last accepted it.
 */
import { wildcardTypes } from "../../xds/type-urls.ts";
import type { AcceptedType } from "../cache/accepted-resources.ts";
import type { AdsProtocol, LocalResponse, ResponseFacts } from "../../xds/protocol.ts";
import type { ResponseSource } from "../report/recorder.ts";
import type { Answered } from "../downstream/stream-observer.ts";
import { anyOf, type WireResource } from "../../xds/wire-resource.ts";

/** A resource of a response. */
export interface ResponseEntry {
  readonly name: string;
  /** Number of the response among the refused ones of its stream. */
  readonly order: number;
  readonly bytes: number;
  /** In the form in which resources are kept. */
  readonly resource: () => WireResource;
  /** True when the other one says the same, whatever its version. */
  readonly isLike: (other: WireResource) => boolean;
}

/** The resources of a response; what is no resource has no name. */
export function entriesOf(
  protocol: AdsProtocol,
  response: ResponseFacts,
  order = 0,
): readonly ResponseEntry[] {
  return response.resources.map((view) => ({
    ...{ name: nameOrNone(protocol, view), order, bytes: view.length },
    resource: () => protocol.readResource(view, response.version),
    isLike: (other) => Buffer.compare(protocol.isDelta ? anyOf(view) : view, anyOf(other.bytes)) === 0,
  }));
}

/** One that outlives its response, with a copy of its bytes. */
export function detached(entry: ResponseEntry): ResponseEntry {
  const { bytes, ...facts } = entry.resource();
  const resource = { ...facts, bytes: Uint8Array.from(bytes) };
  return {
    ...{ name: entry.name, order: entry.order, bytes: entry.bytes },
    resource: () => resource,
    isLike: (other) => Buffer.compare(anyOf(resource.bytes), anyOf(other.bytes)) === 0,
  };
}

/** The resources that Envoy names in its refusal, or else all of them. */
export function blamedOf(entries: readonly ResponseEntry[], error: string): readonly ResponseEntry[] {
  const named = entries.filter(({ name }) => name !== "" && error.includes(name));
  return named.length > 0 ? named : entries;
}

/** A response that is made of a refused one, and what it has of it. */
export interface MadeResponse {
  readonly response: Omit<LocalResponse, "nonce">;
  readonly entries: readonly ResponseEntry[];
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
  /** A response has to be the whole. */
  readonly isWhole: boolean;
  readonly #protocol: AdsProtocol;
  readonly #removed = new Set<string>();
  readonly #trusted = new Set<ResponseEntry>();
  /** Those of `#trusted` that an earlier response had, by name. */
  readonly #older = new Map<string, ResponseEntry>();
  readonly #superseded = new Set<string>();
  readonly #bytes: number;
  #isReplaced = false;
  #wasTried = false;
  /** Envoy has taken what it takes away. */
  #isRemoved = false;

  /** @param order its number among the refused ones of its stream */
  constructor(protocol: AdsProtocol, { response, source, full, goesToCache }: Answered, order: number) {
    this.#protocol = protocol;
    this.typeUrl = response.typeUrl;
    this.source = source;
    this.full = full;
    this.goesToCache = goesToCache;
    this.isWhole = !protocol.isDelta && wildcardTypes.has(response.typeUrl);
    for (const name of response.removed) this.#removed.add(name);
    this.entries = entriesOf(protocol, response, order);
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
      (this.entries.length > 0 &&
        this.removed.length === 0 &&
        this.entries.every(({ name }) => this.#superseded.has(name)))
    );
  }

  /** Parts that may be tried: where each has to be the whole, they are not to come to more than `maxTriedBytes`. */
  get maxTries(): number {
    const tries = this.isWhole ? Math.floor(maxTriedBytes / Math.max(this.#bytes, 1)) : maxParts;
    return Math.min(Math.max(tries, leastParts), maxParts);
  }

  /** True once a part has been sent. */
  get wasTried(): boolean {
    return this.#wasTried;
  }

  /** What Envoy is known to accept of it. */
  get trusted(): readonly ResponseEntry[] {
    return [...this.#trusted].filter((entry) => this.#isTrusted(entry));
  }

  /** Names that it took away. */
  get removed(): readonly string[] {
    return [...this.#removed].filter((name) => !this.#superseded.has(name));
  }

  /** True when a later response has said something else of one of its resources, or of what it took away. */
  get isSupersededInPart(): boolean {
    return this.#superseded.size > 0;
  }

  /** What was taken away before, and is refused now, is taken away. */
  takesAway(names: Iterable<string>): void {
    for (const name of names) {
      this.#removed.add(name);
      this.#isRemoved = false;
    }
  }

  /** True when Envoy has accepted in its place what an earlier refused response had of that name. */
  hasOlder(name: string): boolean {
    return this.#older.has(name);
  }

  isSuperseded(name: string): boolean {
    return this.#superseded.has(name);
  }

  /** A later response goes to Envoy: of its resources this one says nothing any more. */
  isFollowedBy(later: ResponseFacts): void {
    if (later.typeUrl !== this.typeUrl) return;
    if (this.isWhole) this.#isReplaced = true;
    for (const name of later.removed) this.#superseded.add(name);
    for (const view of later.resources) this.#superseded.add(nameOrNone(this.#protocol, view));
  }

  /** True when no part of it would take from Envoy what it has and nobody else could give back. */
  canSpare(known: AcceptedType | undefined): boolean {
    if (!this.isWhole) return true;
    return (
      known !== undefined &&
      this.entries.every(({ name }) => !known.has(name) || known.get(name) !== undefined)
    );
  }

  /** Envoy accepts these. */
  trust(entries: readonly ResponseEntry[]): void {
    const own = new Set(this.entries);
    for (const entry of entries) {
      this.#trusted.add(entry);
      if (!own.has(entry)) this.#older.set(entry.name, entry);
    }
  }

  /** Envoy has accepted the response that was made for this part. */
  took(part: readonly ResponseEntry[]): void {
    this.trust(part);
    this.#isRemoved = true;
  }

  /** The response that has `part`, of this response or an earlier one; undefined when nothing of it counts any more. */
  attempt(part: readonly ResponseEntry[], known: AcceptedType | undefined): MadeResponse | undefined {
    const live = part.filter(({ name }) => !this.#superseded.has(name));
    if (live.length === 0) return undefined;
    const removed = this.#isRemoved ? [] : this.removed;
    this.#wasTried = true;
    const response = {
      ...{ typeUrl: this.typeUrl, version: known?.version ?? "", removed },
      resources: this.isWhole ? this.#compose(live, known) : live.map(({ resource }) => resource()),
    };
    return { response, entries: live };
  }

  /** Those of `refused` that an accepted one can take the place of. */
  replaceable(refused: readonly ResponseEntry[], known: AcceptedType | undefined): readonly ResponseEntry[] {
    return refused.filter((entry) => {
      const last = known?.get(entry.name);
      const isOpen = !this.#superseded.has(entry.name) && !this.#older.has(entry.name);
      return last !== undefined && isOpen && !entry.isLike(last);
    });
  }

  /** The response that leaves Envoy with what is accepted; undefined when there is nothing to send. */
  end(
    refused: readonly ResponseEntry[],
    known: AcceptedType | undefined,
  ): Omit<LocalResponse, "nonce"> | undefined {
    const resources = this.isWhole
      ? this.#compose([], known)
      : this.replaceable(refused, known).flatMap(({ name }) => known?.get(name) ?? []);
    const removed = this.#isRemoved ? [] : this.removed;
    if (resources.length === 0 && removed.length === 0 && !this.isWhole) return undefined;
    return { typeUrl: this.typeUrl, version: known?.version ?? "", resources, removed };
  }

  #isTrusted(entry: ResponseEntry): boolean {
    return this.#trusted.has(entry) && !this.#superseded.has(entry.name);
  }

  /** The whole, with `tried` and what is trusted, and the last accepted of all others. */
  #compose(tried: readonly ResponseEntry[], known: AcceptedType | undefined): readonly WireResource[] {
    const isTried = new Set(tried);
    const own = new Set(this.entries);
    const others = new Map(this.#older);
    for (const entry of tried) if (!own.has(entry)) others.set(entry.name, entry);
    return this.entries.flatMap((entry) => {
      if (isTried.has(entry) || this.#isTrusted(entry)) return [entry.resource()];
      const other = others.get(entry.name);
      if (other !== undefined) return [other.resource()];
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
