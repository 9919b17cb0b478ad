/**
 * What Envoy refuses now, resource by resource, over all streams.
 *
 * A refusal stands until Envoy accepts something else of that name, or no longer wants it. It outlives the stream
 * that it came on, because the next Envoy will be sent the same.
 */
import type { Refusal, RefusalEnd } from "../report/refusal.ts";

/** Who is told of changes. */
export interface RefusalObserver {
  /** New, or refused for another reason; of one response. */
  readonly refused: (refusals: readonly Refusal[]) => void;
  readonly gone: (refusals: readonly Refusal[], end: RefusalEnd) => void;
}

interface Entry {
  /** As it was told last. */
  refusal: Refusal;
  /** False for what an agent before this one has told. */
  readonly isTold: boolean;
  /** As it was told on each open stream, newest last; empty when the Envoy that told it is gone. */
  readonly streams: Map<number, Refusal>;
}

/** How long an Envoy may take to repeat what the one before it refused, in milliseconds. */
const repeatWithinMs = 60_000;

/** Refusals by type and name. */
export class Refusals {
  readonly #observer: RefusalObserver;
  readonly #types = new Map<string, Map<string, Entry>>();
  readonly #open = new Set<number>();
  /** Responses by stream that were refused and of which it is not known yet what that leaves Envoy with. */
  readonly #unsettled = new Map<number, number>();

  constructor(observer: RefusalObserver) {
    this.#observer = observer;
  }

  /** Everything that stands. */
  get standing(): readonly Refusal[] {
    return [...this.#types.values()].flatMap((names) => [...names.values()].map(({ refusal }) => refusal));
  }

  /** Names of a type that are refused; undefined when there are none. */
  namesOf(typeUrl: string): ReadonlySet<string> | undefined {
    const names = this.#types.get(typeUrl);
    return names === undefined ? undefined : new Set(names.keys());
  }

  /** What was refused on this stream. */
  ofStream(stream: number): readonly Refusal[] {
    return this.#entries().flatMap(({ streams }) => streams.get(stream) ?? []);
  }

  /** What stood when the agent before this one ended. */
  inherit(refusals: readonly Refusal[]): void {
    for (const refusal of refusals)
      this.#namesOf(refusal.typeUrl).set(refusal.name, { refusal, isTold: false, streams: new Map() });
  }

  opened(stream: number): void {
    this.#open.add(stream);
  }

  /** Envoy has refused a response; disposed once it is known what that leaves it with. */
  unsettled(stream: number): Disposable {
    const add = (by: number): void => {
      this.#unsettled.set(stream, (this.#unsettled.get(stream) ?? 0) + by);
    };
    add(1);
    return {
      [Symbol.dispose]: () => {
        add(-1);
      },
    };
  }

  /** True while it is not known what Envoy has refused on this stream. */
  isUnsettled(stream: number): boolean {
    return (this.#unsettled.get(stream) ?? 0) > 0;
  }

  /** What Envoy has refused on this stream in one response. */
  refuse(stream: number, refusals: readonly Refusal[]): void {
    // A newcomer that is gone by now has nothing to say of the Envoy that serves on.
    if (!this.#open.has(stream) && this.#open.size > 0) return;
    const fresh: Refusal[] = [];
    for (const refusal of refusals) {
      const { typeUrl, name, reason } = refusal;
      const names = this.#namesOf(typeUrl);
      const before = names.get(name);
      const isSame = before?.isTold === true && before.refusal.reason === reason;
      const streams = before?.streams ?? new Map<number, Refusal>();
      const kept = { ...refusal, since: before?.refusal.since ?? refusal.since };
      streams.delete(stream);
      if (this.#open.has(stream)) streams.set(stream, kept);
      names.set(name, { refusal: kept, isTold: true, streams });
      if (!isSame) fresh.push(kept);
    }
    if (refusals.length > 0) this.#observer.refused(fresh);
  }

  /** Envoy has accepted these on this stream. What nobody could name is gone with anything that is accepted. */
  accept(stream: number, typeUrl: string, names: readonly string[]): void {
    if (this.#types.has(typeUrl)) this.#leave(stream, typeUrl, [...names, ""], "accepted");
  }

  /** Envoy no longer wants these, or the control plane has none of that name. */
  forget(stream: number, typeUrl: string, names: readonly string[]): void {
    if (this.#types.has(typeUrl)) this.#leave(stream, typeUrl, names, "no longer wanted");
  }

  /**
   * A stream is at its end. What was refused on it alone is over if those that are open are older, as they were served the same;
   * a newer one may still come to refuse it, and inherits it until then, as one that is not open yet does.
   */
  closed(stream: number): void {
    this.#open.delete(stream);
    this.#unsettled.delete(stream);
    const isNewest = this.#open.size > 0 && [...this.#open].every((other) => other < stream);
    this.#drop("not repeated", (entry) => leave(entry, stream) && isNewest && entry.streams.size === 0);
  }

  /** A stream has been served for so long: what its Envoy has not refused by now, it does not want. */
  served(forMs: number): void {
    if (this.#types.size === 0 || forMs < repeatWithinMs) return;
    this.#drop("not repeated", ({ streams }) => streams.size === 0);
  }

  #namesOf(typeUrl: string): Map<string, Entry> {
    const names = this.#types.get(typeUrl) ?? new Map<string, Entry>();
    this.#types.set(typeUrl, names);
    return names;
  }

  #leave(stream: number, typeUrl: string, names: readonly string[], end: RefusalEnd): void {
    const said = new Set(names);
    this.#drop(end, (entry) => {
      const { refusal, streams } = entry;
      if (refusal.typeUrl !== typeUrl || !said.has(refusal.name)) return false;
      leave(entry, stream);
      return streams.size === 0;
    });
  }

  #drop(end: RefusalEnd, isOver: (entry: Entry) => boolean): void {
    const gone: Refusal[] = [];
    for (const [typeUrl, names] of this.#types) {
      for (const [name, entry] of names) {
        if (!isOver(entry)) continue;
        names.delete(name);
        gone.push(entry.refusal);
      }
      if (names.size === 0) this.#types.delete(typeUrl);
    }
    if (gone.length > 0) this.#observer.gone(gone, end);
  }

  #entries(): readonly Entry[] {
    return [...this.#types.values()].flatMap((names) => [...names.values()]);
  }
}

/** True when it was told on that stream; what other streams say counts from now on. */
function leave(entry: Entry, stream: number): boolean {
  const wasTold = entry.streams.delete(stream);
  entry.refusal = [...entry.streams.values()].at(-1) ?? entry.refusal;
  return wasTold;
}
