/**
 * What a server has been asked for and has not answered, by type: how it shows that nobody is there. Times are on the
 * monotonic clock, in milliseconds.
 */

/** Those of one stream. */
export class OpenQuestions {
  readonly #askedAt = new Map<string, number>();
  /** Types that the server has not answered before: no proof that it is dead. */
  readonly #silentTypes: Set<string>;
  #lastResponseAt: number | undefined;

  /** @param silentTypes shared by all streams to the server */
  constructor(silentTypes: Set<string>) {
    this.#silentTypes = silentTypes;
  }

  asked(typeUrl: string, now: number): void {
    if (!this.#askedAt.has(typeUrl)) this.#askedAt.set(typeUrl, now);
  }

  /** The server has answered. */
  answered(typeUrl: string, now: number): void {
    this.#lastResponseAt = now;
    this.#askedAt.delete(typeUrl);
    this.#silentTypes.delete(typeUrl);
  }

  /** The question counts no more: somebody else has answered it. */
  settled(typeUrl: string): void {
    this.#askedAt.delete(typeUrl);
  }

  /** What waited has been taken: until now nothing further could come. */
  deliveryDone(now: number): void {
    this.#lastResponseAt = now;
  }

  /** A connection begins: what was asked before is asked of it. */
  redialled(now: number): void {
    this.#lastResponseAt = undefined;
    for (const type of this.#askedAt.keys()) this.#askedAt.set(type, now);
  }

  /**
   * The type that was asked for so long ago that the server must be taken for dead, if there is one: a response of any
   * type in the meantime shows that it lives. A server that answers others may leave a type unanswered for ever: that
   * counts once.
   */
  overdue(now: number, limitMs: number): string | undefined {
    const last = this.#lastResponseAt;
    if (last !== undefined && now - last < limitMs) return undefined;
    for (const [type, askedAt] of this.#askedAt) {
      if (now - askedAt < limitMs) continue;
      if (last !== undefined && this.#silentTypes.has(type)) continue;
      this.#silentTypes.add(type);
      return type;
    }
    return undefined;
  }
}
