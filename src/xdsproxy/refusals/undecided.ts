/**
 * What refused responses said of the resources of one type, as long as Envoy has neither accepted nor refused it by
 * itself. Pure.
 *
 * Of each name the newest thing that Envoy accepts is to serve, however fast one response follows another: when the
 * newest is refused, what was said just before it is next, down to what Envoy last accepted. That a resource is gone
 * is accepted always, so nothing from before it comes back.
 */

/** A resource that a refused response had. */
export interface Said {
  readonly name: string;
  /** Number of the response; counts up. */
  readonly order: number;
  readonly bytes: number;
}

/** A refused response. */
export interface RefusedSayings<T extends Said> {
  readonly entries: readonly T[];
  /** Names that it takes away. */
  readonly removed: readonly string[];
  /** True when what it does not have is gone. */
  readonly isWhole: boolean;
}

interface History<T> {
  /** It was taken away before all of these, or there are none and it is gone. */
  readonly isGone: boolean;
  /** Oldest first. */
  readonly values: readonly T[];
}

/** Largest sum of resources that are kept, in bytes; of the first names the oldest give way. */
const maxUndecidedBytes = 33_554_432;

/** Of one type on one stream. */
export class Undecided<T extends Said> {
  readonly #isLike: (a: T, b: T) => boolean;
  readonly #maxBytes: number;
  readonly #histories = new Map<string, History<T>>();
  /** Names of the last response that was whole, if it was refused. */
  #whole: ReadonlySet<string> | undefined;
  #bytes = 0;

  constructor(isLike: (a: T, b: T) => boolean, maxBytes = maxUndecidedBytes) {
    this.#isLike = isLike;
    this.#maxBytes = maxBytes;
  }

  /** Envoy has refused this. Responses come in the order in which Envoy answers them. */
  refusedTogether({ entries, removed, isWhole }: RefusedSayings<T>): void {
    for (const name of removed) this.#put(name, { isGone: true, values: [] });
    const names = new Set(entries.map(({ name }) => name));
    if (isWhole)
      for (const name of this.#histories.keys())
        if (!names.has(name)) this.#put(name, { isGone: true, values: [] });
    for (const entry of entries) {
      const wasGone = isWhole && this.#whole?.has(entry.name) === false;
      const { isGone, values } = this.#histories.get(entry.name) ?? { isGone: wasGone, values: [] };
      const last = values.at(-1);
      const older = last !== undefined && this.#isLike(last, entry) ? values.slice(0, -1) : values;
      this.#put(entry.name, { isGone, values: [...older, entry] });
    }
    if (isWhole) this.#whole = names;
    this.#limit();
  }

  /** What was said of a name before response number `order`, newest first. */
  before(name: string, order: number): readonly T[] {
    const { values = [] } = this.#histories.get(name) ?? {};
    return values.filter((value) => value.order < order).toReversed();
  }

  /** True when a refused response took the name away, and Envoy has accepted nothing of it since. */
  isGone(name: string): boolean {
    return this.#histories.get(name)?.isGone === true;
  }

  /** Envoy has refused this one by itself. */
  refused({ name, order }: Pick<T, "name" | "order">): void {
    const history = this.#histories.get(name);
    if (history === undefined) return;
    this.#put(name, { ...history, values: history.values.filter((value) => value.order !== order) });
  }

  /** Envoy has accepted what response number `order` says of a name: what was said before counts no more. */
  accepted({ name, order }: Pick<T, "name" | "order">): void {
    const history = this.#histories.get(name);
    if (history === undefined) return;
    this.#put(name, { isGone: false, values: history.values.filter((value) => value.order > order) });
  }

  /** Envoy has accepted a response that came after all of this; names are left out when it said everything. */
  decided(names?: readonly string[]): void {
    for (const name of names ?? [...this.#histories.keys()]) this.#put(name, { isGone: false, values: [] });
    if (names === undefined) this.#whole = undefined;
  }

  #put(name: string, history: History<T>): void {
    const bytesOf = ({ values }: History<T>): number => values.reduce((sum, { bytes }) => sum + bytes, 0);
    const before = this.#histories.get(name);
    this.#bytes += bytesOf(history) - (before === undefined ? 0 : bytesOf(before));
    if (history.isGone || history.values.length > 0) this.#histories.set(name, history);
    else this.#histories.delete(name);
  }

  #limit(): void {
    for (const [name, { isGone, values }] of this.#histories) {
      if (this.#bytes <= this.#maxBytes) return;
      // The newest is what its response is being asked about.
      this.#put(name, { isGone, values: values.slice(-1) });
    }
  }
}
