/**
 * An Envoy as the ADS proxy sees one: what it has of each resource, what it takes, and what it refuses.
 *
 * It does what Envoy 1.40 was seen to do. Of clusters and listeners it takes what it can use of a response, and names
 * what it cannot; of any other type it takes them one by one and gives up at the first that is bad, whose name it
 * does not tell. A resource that breaks a rule of its message has the whole response refused before anything is taken.
 */
import { wildcardTypes } from "../../src/xds/type-urls.ts";
import type { ByteStream } from "../../src/grpc/channel.ts";
import type { Inbox } from "./inbox.ts";
import { delta, type Encoding } from "./xds-messages.ts";

/** A resource whose bytes begin so cannot be used. */
export const bad = "bad";
/** One whose bytes begin so breaks a rule of its message. */
export const invalid = "invalid";

interface Subscription {
  readonly names: Set<string>;
  nonce: string;
}

export class PlayedEnvoy {
  /** Bytes of each resource as text, by type and name. */
  readonly has = new Map<string, Map<string, string>>();
  /** What it had after each response, by type. */
  readonly history = new Map<string, Readonly<Record<string, string>>[]>();
  readonly #encoding: Encoding;
  readonly #open: () => { readonly stream: ByteStream; readonly inbox: Inbox };
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #versions = new Map<string, Map<string, string>>();
  #stream: ByteStream | undefined;
  /** Resolves once it may read on. */
  #mayRead: Promise<void> = Promise.resolve();
  #ended: Promise<void> = Promise.resolve();

  constructor(encoding: Encoding, open: () => { readonly stream: ByteStream; readonly inbox: Inbox }) {
    this.#encoding = encoding;
    this.#open = open;
  }

  /** Open a stream, with what it has from the one before. */
  connect(): void {
    const { stream, inbox } = this.#open();
    this.#stream = stream;
    this.#ended = this.#receive(inbox);
    for (const [type, subscription] of this.#subscriptions) {
      subscription.nonce = "";
      this.#ask(type, [...subscription.names]);
    }
  }

  /** Subscribe; names are left out for all of a type. */
  subscribe(type: string, names: readonly string[] = []): void {
    const subscription = this.#subscriptions.get(type) ?? { names: new Set(), nonce: "" };
    this.#subscriptions.set(type, subscription);
    for (const name of names) subscription.names.add(name);
    if (this.#stream !== undefined) this.#ask(type, names);
  }

  /** Want a resource no more. */
  unsubscribe(type: string, name: string): void {
    const subscription = this.#subscriptions.get(type);
    subscription?.names.delete(name);
    this.has.get(type)?.delete(name);
    const names = [...(subscription?.names ?? [])];
    const { nonce = "" } = subscription ?? {};
    this.#stream?.enqueue(
      this.#encoding.request(
        this.#encoding === delta ? { typeUrl: type, unsubscribed: [name] } : { typeUrl: type, nonce, names },
      ),
    );
  }

  state(type: string): Readonly<Record<string, string>> {
    return Object.fromEntries(this.has.get(type) ?? []);
  }

  /** Its stream ends: it has died, or connects anew. */
  async disconnect(): Promise<void> {
    this.#stream?.cancel();
    this.#stream = undefined;
    await this.#ended;
  }

  /** It is busy, and reads nothing until it is resumed. */
  pause(): { resume: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#mayRead = promise;
    return { resume: resolve };
  }

  /** Resolves when the stream ends. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  #ask(type: string, names: readonly string[]): void {
    const all = this.#subscriptions.get(type);
    const versions = this.#versions.get(type) ?? new Map<string, string>();
    const known = all?.nonce === "" ? Object.fromEntries(versions) : {};
    this.#stream?.enqueue(
      this.#encoding.request({
        typeUrl: type,
        nonce: this.#encoding === delta ? "" : (all?.nonce ?? ""),
        names: this.#encoding === delta ? names : [...(all?.names ?? [])],
        known,
      }),
    );
  }

  async #receive(inbox: Inbox): Promise<void> {
    try {
      for (;;) {
        const message = await inbox.next(3_600_000);
        await this.#mayRead;
        this.#answer(message);
      }
    } catch {
      // The stream is over.
    }
  }

  #answer(message: Buffer): void {
    const { typeUrl: type, nonce, resources, versions, removed } = this.#encoding.read(message);
    const subscription = this.#subscriptions.get(type);
    if (subscription === undefined) throw new Error(`nobody asked for ${type}`);
    subscription.nonce = nonce;
    const error = this.#take(type, resources, removed);
    if (error === undefined) this.#note(type, versions, removed);
    this.history.set(type, [...(this.history.get(type) ?? []), this.state(type)]);
    this.#stream?.enqueue(
      this.#encoding.request({
        typeUrl: type,
        nonce,
        names: this.#encoding === delta ? [] : [...subscription.names],
        ...(error === undefined ? {} : { error }),
      }),
    );
  }

  /** The refusal, if it is one. */
  #take(
    type: string,
    resources: Readonly<Record<string, string>>,
    removed: readonly string[],
  ): string | undefined {
    const has = this.has.get(type) ?? new Map<string, string>();
    this.has.set(type, has);
    const entries = Object.entries(resources);
    if (entries.some(([, text]) => text.startsWith(invalid))) return "Proto constraint validation failed";
    const isWildcard = wildcardTypes.has(type);
    const refused: string[] = [];
    for (const [name, text] of entries) {
      if (!text.startsWith(bad)) has.set(name, text);
      else if (!isWildcard) return "invalid perl operator: (?=";
      else refused.push(`${name}: no such filter`);
    }
    for (const name of removed) has.delete(name);
    if (isWildcard && this.#encoding !== delta)
      for (const name of has.keys()) if (!(name in resources)) has.delete(name);
    return refused.length === 0 ? undefined : `Error adding/updating ${refused.join(", ")}`;
  }

  #note(type: string, versions: Readonly<Record<string, string>>, removed: readonly string[]): void {
    const known = this.#versions.get(type) ?? new Map<string, string>();
    this.#versions.set(type, known);
    for (const [name, version] of Object.entries(versions)) known.set(name, version);
    for (const name of removed) known.delete(name);
  }
}
