/**
 * Parts of what callers are, such as their place, each as one object for all that have it: what is made for a part is kept by it, and
 * goes with the last caller that has it. As a word it would stay as long as what is called, however many regions callers have said.
 */

/** Parts of callers, by what they say. */
export class CallerParts<Part extends object> {
  readonly #wordsOf: (caller: Part) => unknown;
  readonly #known = new Map<string, WeakRef<object>>();
  readonly #ofCaller = new WeakMap<Part, object>();
  readonly #gone = new FinalizationRegistry<string>((words) => {
    if (this.#known.get(words)?.deref() === undefined) this.#known.delete(words);
  });

  /** @param wordsOf everything that counts of a caller */
  constructor(wordsOf: (caller: Part) => unknown) {
    this.#wordsOf = wordsOf;
  }

  /** The same for callers that are alike in it. */
  of(caller: Part): object {
    let part = this.#ofCaller.get(caller);
    if (part === undefined) {
      part = this.#shared(JSON.stringify(this.#wordsOf(caller)));
      this.#ofCaller.set(caller, part);
    }
    return part;
  }

  #shared(words: string): object {
    const known = this.#known.get(words)?.deref();
    if (known !== undefined) return known;
    const part = {};
    this.#known.set(words, new WeakRef(part));
    this.#gone.register(part, words);
    return part;
  }
}
