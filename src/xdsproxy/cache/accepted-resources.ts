/**
 * What Envoy has accepted, by type and name: to give it again to an Envoy that refuses what came after it.
 *
 * Most types are in the cache on disk. Secrets are kept in memory only, and of a type that the cache does not keep
 * the names alone: with them it is at least known what would be lost.
 */
import type { AcknowledgedUpdate, TypeResources } from "./cached-type.ts";
import { typeUrl as types } from "../../xds/type-urls.ts";
import type { WireResource } from "../../xds/wire-resource.ts";
import type { XdsCache } from "./xds-cache.ts";

/** What is known of one type. */
export interface AcceptedType {
  /** Of the last response that Envoy accepted whole. */
  readonly version: string;
  /** True when Envoy has accepted a resource of that name. */
  readonly has: (name: string) => boolean;
  /** Undefined when it was never accepted, or is not kept. */
  readonly get: (name: string) => WireResource | undefined;
}

/** Largest secrets that are kept, in bytes: more than a gateway's thousand certificates. */
const maxSecretBytes = 16_777_216;

/** Over all streams. */
export class AcceptedResources {
  readonly #cache: XdsCache | undefined;
  readonly #names = new Map<string, Set<string>>();
  readonly #secrets = new Map<string, WireResource>();
  #secretBytes = 0;

  constructor(cache: XdsCache | undefined) {
    this.#cache = cache;
  }

  /** Undefined when Envoy has never accepted anything of the type, as far as is known. */
  async of(typeUrl: string): Promise<AcceptedType | undefined> {
    const kept = typeUrl === types.secret ? this.#secretsKept() : await this.#cache?.lastAccepted(typeUrl);
    const names = this.#names.get(typeUrl);
    if (kept === undefined && names === undefined) return undefined;
    return {
      version: kept?.version ?? "",
      has: (name) => kept?.resources.has(name) === true || names?.has(name) === true,
      get: (name) => kept?.resources.get(name),
    };
  }

  /** True when a response of this size goes to the cache once Envoy has accepted it. */
  goesToCache(typeUrl: string, bytes: number): boolean {
    return this.#cache?.accepts(typeUrl, bytes) === true;
  }

  /** True when what Envoy accepts of such a response can be given again. */
  keeps(typeUrl: string, goesToCache: boolean): boolean {
    return typeUrl === types.secret || (goesToCache && this.#cache?.keeps(typeUrl) === true);
  }

  /** Envoy has accepted a response. */
  acknowledged(update: AcknowledgedUpdate, goesToCache: boolean): void {
    const { typeUrl } = update;
    if (goesToCache) this.#cache?.acknowledged(update);
    if (goesToCache && this.#cache?.keeps(typeUrl) === true) this.#names.delete(typeUrl);
    else if (typeUrl === types.secret) this.#keepSecrets(update);
    else this.#noteNames(update);
  }

  /** A response will not be known to have been accepted. */
  giveUp(typeUrl: string, reason: string): void {
    if (typeUrl !== types.secret) this.#cache?.giveUp(typeUrl, reason);
  }

  /** Envoy no longer asks for these. */
  drop(typeUrl: string, names: readonly string[]): void {
    if (typeUrl === types.secret) for (const name of names) this.#removeSecret(name);
    else this.#cache?.drop(typeUrl, names);
    const known = this.#names.get(typeUrl);
    for (const name of names) known?.delete(name);
  }

  #secretsKept(): TypeResources {
    return { version: "", resources: this.#secrets };
  }

  #keepSecrets(update: AcknowledgedUpdate): void {
    const { changed, removed } = update;
    for (const name of removed) this.#removeSecret(name);
    for (const secret of changed) {
      this.#removeSecret(secret.name);
      if (this.#secretBytes + secret.bytes.length > maxSecretBytes) {
        this.#noteNames({ ...update, full: false, changed: [secret], removed: [] });
        continue;
      }
      // A copy: the response that it is a view into is let go.
      this.#secrets.set(secret.name, { ...secret, bytes: Uint8Array.from(secret.bytes) });
      this.#secretBytes += secret.bytes.length;
    }
  }

  #removeSecret(name: string): void {
    this.#secretBytes -= this.#secrets.get(name)?.bytes.length ?? 0;
    this.#secrets.delete(name);
  }

  #noteNames({ typeUrl, full, changed, removed }: AcknowledgedUpdate): void {
    const names = full ? new Set<string>() : (this.#names.get(typeUrl) ?? new Set<string>());
    for (const { name } of changed) names.add(name);
    for (const name of removed) names.delete(name);
    this.#names.set(typeUrl, names);
  }
}
