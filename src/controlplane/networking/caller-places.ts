/**
 * The places that callers have, each as one object for all that have it: what is made for a place is kept by it, and goes with
 * the last caller there. As a word it would stay as long as what is called, however many regions callers have said.
 */
import type { CallerPlace } from "./locality.ts";

/** Locality and labels of callers, by what they say. */
export class CallerPlaces {
  readonly #known = new Map<string, WeakRef<object>>();
  readonly #ofCaller = new WeakMap<CallerPlace, object>();
  readonly #gone = new FinalizationRegistry<string>((words) => {
    if (this.#known.get(words)?.deref() === undefined) this.#known.delete(words);
  });

  /** The same for callers of one locality with the same labels. */
  of(caller: CallerPlace): object {
    let place = this.#ofCaller.get(caller);
    if (place === undefined) {
      place = this.#shared(JSON.stringify([caller.locality, caller.labels]));
      this.#ofCaller.set(caller, place);
    }
    return place;
  }

  #shared(words: string): object {
    const known = this.#known.get(words)?.deref();
    if (known !== undefined) return known;
    const place = {};
    this.#known.set(words, new WeakRef(place));
    this.#gone.register(place, words);
    return place;
  }
}
