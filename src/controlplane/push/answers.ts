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

  constructor(waitsMs = patienceMs) {
    this.#patienceMs = waitsMs;
  }

  /** A response is about to be written. */
  sent(typeUrl: string, nonce: string): void {
    this.#sync.set(typeUrl, { ackedNonce: "", ...this.#sync.get(typeUrl), sentNonce: nonce });
  }

  /** The proxy took the response, or refused it with these words. */
  answered(typeUrl: string, nonce: string, error: string | undefined): void {
    const { sentNonce, ackedNonce } = this.#sync.get(typeUrl) ?? { sentNonce: "", ackedNonce: "" };
    const isGood = error === undefined;
    this.#sync.set(typeUrl, isGood ? { sentNonce, ackedNonce: nonce } : { sentNonce, ackedNonce, error });
    this.#answered.set(typeUrl, nonce);
    this.#overdue.delete(typeUrl);
    this.#count.set(this.#count.current + 1);
  }

  /** Everything that was sent of the type has been taken. */
  isTaken(typeUrl: string): boolean {
    const sync = this.#sync.get(typeUrl);
    return sync === undefined || sync.sentNonce === sync.ackedNonce;
  }

  /** Until the newest response of the type is answered, or the proxy has had its time. */
  async wait(typeUrl: string, signal: AbortSignal): Promise<void> {
    const isAnswered = (): boolean =>
      (this.#sync.get(typeUrl)?.sentNonce ?? "") === (this.#answered.get(typeUrl) ?? "");
    if (isAnswered() || this.#overdue.has(typeUrl)) return;
    using deadline = new Deadline(this.#patienceMs);
    for await (const _ of this.#count.changes(AbortSignal.any([signal, deadline.signal])))
      if (isAnswered()) return;
    this.#overdue.add(typeUrl);
  }

  /** For `/debug/syncz`. */
  list(): Readonly<Record<string, TypeSync>> {
    return Object.fromEntries(this.#sync);
  }
}
