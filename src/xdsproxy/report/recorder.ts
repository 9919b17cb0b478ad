/**
 * The last exchanges of each type, for whoever asks what the control plane sent and what Envoy said to it.
 *
 * Sizes, names and answers only, never resources: what is kept is small, and its bound is known.
 */
import { type Moment, thisMoment, timeOf } from "../../lifecycle/moment.ts";

/** Where a response came from; the agent sends Envoy what it last accepted, and what it does not refuse of a response. */
export type ResponseSource = "control plane" | "cache" | "agent";

/** One response and what became of it. Times are ISO 8601. */
export interface Exchange {
  /** Counts up over all types. */
  readonly number: number;
  readonly at: string;
  readonly typeUrl: string;
  /** Number of the stream of Envoy, from 1. */
  readonly stream: number;
  readonly source: ResponseSource;
  readonly version: string;
  readonly nonce: string;
  /** Names of the first resources. */
  readonly names: readonly string[];
  readonly resources: number;
  readonly removed: readonly string[];
  /** Size of the response. */
  readonly bytes: number;
  readonly outcome: "pending" | "acked" | "nacked";
  /** Envoy's words of refusal. */
  readonly error?: string;
  /** From the response to Envoy's answer, in milliseconds. */
  readonly latencyMs?: number;
}

/** Exchanges kept of each type. */
const perType = 50;
/** Types that are recorded: more than Envoy and an agent ask for. */
const maxTypes = 32;
/** Names kept of each exchange. */
const maxNames = 20;
/** Longest text that is kept: a name, a version, a refusal. */
const maxText = 1_024;
/** Characters of everything that is kept; the oldest exchanges give way. */
const maxCharacters = 1_048_576;

/** An exchange as it is kept. */
interface Kept {
  exchange: Omit<Exchange, "at">;
  readonly at: Moment;
  characters: number;
}

/** The ring. */
export class Recorder {
  readonly #byType = new Map<string, Kept[]>();
  #number = 0;
  #characters = 0;

  /** A response goes to Envoy. Its number, for `answered`. */
  sent(exchange: Omit<Exchange, "number" | "at" | "outcome">): number {
    this.#number += 1;
    let ring = this.#byType.get(exchange.typeUrl);
    if (ring === undefined) {
      if (this.#byType.size >= maxTypes) return this.#number;
      ring = [];
      this.#byType.set(exchange.typeUrl, ring);
    }
    const { typeUrl, stream, source, version, nonce, names, resources, removed, bytes } = exchange;
    const kept: Kept["exchange"] = {
      ...{ typeUrl, stream, source, nonce, resources, bytes },
      number: this.#number,
      version: cut(version),
      names: cutAll(names),
      removed: cutAll(removed),
      outcome: "pending",
    };
    const characters = charactersOf(kept);
    ring.push({ exchange: kept, at: thisMoment(), characters });
    this.#characters += characters;
    if (ring.length > perType) this.#forget(ring);
    if (this.#characters > maxCharacters) this.#limit();
    return this.#number;
  }

  /** Envoy has answered the response with this number. */
  answered(typeUrl: string, number: number, latencyMs: number, error: string | undefined): void {
    const ring = this.#byType.get(typeUrl);
    const kept = ring?.findLast(({ exchange }) => exchange.number === number);
    if (kept === undefined) return;
    kept.exchange = {
      ...kept.exchange,
      latencyMs: Math.round(latencyMs * 10) / 10,
      ...(error === undefined ? { outcome: "acked" } : { outcome: "nacked", error: cut(error) }),
    };
    this.#characters -= kept.characters;
    kept.characters = charactersOf(kept.exchange);
    this.#characters += kept.characters;
    this.#limit();
  }

  /** Everything that is kept, oldest first. */
  exchanges(): readonly Exchange[] {
    const now = thisMoment();
    return [...this.#byType.values()]
      .flat()
      .map(({ exchange, at }) => ({ ...exchange, at: timeOf(at, now).toISOString() }))
      .toSorted((a, b) => a.number - b.number);
  }

  #limit(): void {
    while (this.#characters > maxCharacters) {
      let oldest: Kept[] = [];
      for (const ring of this.#byType.values()) if (numberOf(ring[0]) < numberOf(oldest[0])) oldest = ring;
      if (oldest.length === 0) return;
      this.#forget(oldest);
    }
  }

  #forget(ring: Kept[]): void {
    const forgotten = ring.shift();
    if (forgotten !== undefined) this.#characters -= forgotten.characters;
  }
}

function numberOf(kept: Kept | undefined): number {
  return kept?.exchange.number ?? Infinity;
}

function charactersOf({ version, nonce, names, removed, error = "" }: Kept["exchange"]): number {
  let sum = version.length + nonce.length + error.length;
  for (const { length } of names) sum += length;
  for (const { length } of removed) sum += length;
  return sum;
}

/** Names that `Exchange.names` has room for. */
export const recordedNames: number = maxNames;

function cutAll(texts: readonly string[]): readonly string[] {
  return texts.length === 0 ? texts : texts.slice(0, maxNames).map(cut);
}

function cut(text: string): string {
  return text.length <= maxText ? text : `${text.slice(0, maxText)}…`;
}
