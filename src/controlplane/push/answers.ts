/**
 * What one proxy has been sent of each type, and what it said to it.
 */
import { Deadline } from "../../lifecycle/timer.ts";
import { Watch } from "../../lifecycle/watch.ts";
import type { TypeSync } from "./status.ts";

/** A proxy that gives no answer is not waited for longer, in milliseconds. */
const patienceMs = 5_000;

/** One proxy's answers, by type URL. */
export class Answers {
  readonly #patienceMs: number;
  readonly #sync = new Map<string, TypeSync>();
  /** The newest response of each type that was taken or refused. */
  readonly #answered = new Map<string, string>();
  /** Types that were waited for in vain: they are not waited for again before an answer comes. */
  readonly #overdue = new Set<string>();
  readonly #count = new Watch(0);

  readonly #now: () => string;

  constructor(waitsMs = patienceMs, now: () => string = () => new Date().toISOString()) {
    this.#patienceMs = waitsMs;
    this.#now = now;
  }

  /** A response is about to be written. */
  sent(typeUrl: string, nonce: string): void {
    const before = this.#sync.get(typeUrl);
    const isBehind = before !== undefined && before.sentNonce !== before.ackedNonce;
    const since = isBehind ? before.since : this.#now();
    this.#sync.set(typeUrl, { ackedNonce: "", ...before, sentNonce: nonce, since });
  }

  /** The proxy took the response, or refused it with these words. */
  answered(typeUrl: string, nonce: string, error: string | undefined): void {
    const before = this.#sync.get(typeUrl) ?? { sentNonce: "", ackedNonce: "", since: this.#now() };
    const { sentNonce, ackedNonce } = before;
    // Of a configuration that goes on being refused, and of one that has long been taken, the beginning counts.
    const isSame = error === undefined ? ackedNonce === nonce && !("error" in before) : "error" in before;
    const since = isSame ? before.since : this.#now();
    this.#sync.set(
      typeUrl,
      error === undefined ? { sentNonce, ackedNonce: nonce, since } : { sentNonce, ackedNonce, error, since },
    );
    this.#answered.set(typeUrl, nonce);
    this.#overdue.delete(typeUrl);
    this.#count.set(this.#count.current + 1);
  }

  /** True for the nonce of another response than the newest of the type: one that a newer one has overtaken. */
  isExpired(typeUrl: string, nonce: string): boolean {
    const sync = this.#sync.get(typeUrl);
    return sync !== undefined && sync.sentNonce !== nonce;
  }

  /** Everything that was sent of the type has been taken. */
  isTaken(typeUrl: string): boolean {
    const sync = this.#sync.get(typeUrl);
    return sync === undefined || sync.sentNonce === sync.ackedNonce;
  }

  /** The newest response of the type is still to be answered, and the proxy has its time yet. */
  isAwaited(typeUrl: string): boolean {
    const isAnswered = (this.#sync.get(typeUrl)?.sentNonce ?? "") === (this.#answered.get(typeUrl) ?? "");
    return !isAnswered && !this.#overdue.has(typeUrl);
  }

  /** Until the newest response of the type is answered, or the proxy has had its time. */
  async wait(typeUrl: string, signal: AbortSignal): Promise<void> {
    if (!this.isAwaited(typeUrl)) return;
    using deadline = new Deadline(this.#patienceMs);
    for await (const _ of this.#count.changes(AbortSignal.any([signal, deadline.signal])))
      if (!this.isAwaited(typeUrl)) return;
    this.#overdue.add(typeUrl);
  }

  /** For `/debug/syncz`. */
  list(): Readonly<Record<string, TypeSync>> {
    return Object.fromEntries(this.#sync);
  }
}
