/**
 * The last exchanges of each type, for whoever asks what the control plane sent and what Envoy said to it.
 *
 * Sizes, names and answers only, never resources: what is kept is small, and its bound is known.
 */

/** Where a response came from. */
export type ResponseSource = "control plane" | "cache";

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

/** The ring. */
export class Recorder {
  readonly #byType = new Map<string, Exchange[]>();
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
    const kept: Exchange = {
      ...exchange,
      number: this.#number,
      at: new Date().toISOString(),
      version: cut(exchange.version),
      names: exchange.names.slice(0, maxNames).map(cut),
      removed: exchange.removed.slice(0, maxNames).map(cut),
      outcome: "pending",
    };
    ring.push(kept);
    this.#characters += charactersOf(kept);
    if (ring.length > perType) this.#forget(ring);
    this.#limit();
    return this.#number;
  }

  /** Envoy has answered the response with this number. */
  answered(typeUrl: string, number: number, latencyMs: number, error: string | undefined): void {
    const ring = this.#byType.get(typeUrl);
    const index = ring?.findIndex((exchange) => exchange.number === number) ?? -1;
    const exchange = ring?.[index];
    if (ring === undefined || exchange === undefined) return;
    const answered: Exchange = {
      ...exchange,
      latencyMs: Math.round(latencyMs * 10) / 10,
      ...(error === undefined ? { outcome: "acked" } : { outcome: "nacked", error: cut(error) }),
    };
    ring[index] = answered;
    this.#characters += charactersOf(answered) - charactersOf(exchange);
    this.#limit();
  }

  /** Everything that is kept, oldest first. */
  exchanges(): readonly Exchange[] {
    return [...this.#byType.values()].flat().toSorted((a, b) => a.number - b.number);
  }

  #limit(): void {
    while (this.#characters > maxCharacters) {
      let oldest: Exchange[] = [];
      for (const ring of this.#byType.values())
        if ((ring[0]?.number ?? Infinity) < (oldest[0]?.number ?? Infinity)) oldest = ring;
      if (oldest.length === 0) return;
      this.#forget(oldest);
    }
  }

  #forget(ring: Exchange[]): void {
    const forgotten = ring.shift();
    if (forgotten !== undefined) this.#characters -= charactersOf(forgotten);
  }
}

function charactersOf({ version, nonce, names, removed, error = "" }: Exchange): number {
  const texts = [version, nonce, error, ...names, ...removed];
  return texts.reduce((sum, { length }) => sum + length, 0);
}

/** Names that `Exchange.names` has room for. */
export const recordedNames: number = maxNames;

function cut(text: string): string {
  return text.length <= maxText ? text : `${text.slice(0, maxText)}…`;
}
