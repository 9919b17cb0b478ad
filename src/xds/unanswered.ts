/**
 * Responses that a client has neither acknowledged nor refused (Envoy's xDS protocol documentation, "ACK/NACK and
 * resource type instance version").
 */

/** What is kept of one. */
export interface SentResponse {
  readonly response: { readonly typeUrl: string; readonly nonce: string };
  readonly bytes: number;
}

/** Those of one stream, in the order in which they were sent. */
export class UnansweredResponses<T extends SentResponse> {
  readonly #maxBytes: number;
  /** By nonce; a later change of subscription repeats an answered one. */
  readonly #sent = new Map<string, T>();
  #bytes = 0;

  /** @param maxBytes largest sum of responses that are held, in bytes */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Of one type. */
  ofType(typeUrl: string): readonly T[] {
    return [...this.#sent.values()].filter(({ response }) => response.typeUrl === typeUrl);
  }

  /**
   * A response goes out. A nonce that comes twice is answered once.
   *
   * @returns the oldest that are held no longer, as there are too many bytes: a client that answers nothing
   */
  sent(sent: T): readonly T[] {
    const { nonce } = sent.response;
    this.#bytes += sent.bytes - (this.#sent.get(nonce)?.bytes ?? 0);
    this.#sent.set(nonce, sent);
    if (this.#bytes <= this.#maxBytes) return [];
    const dropped: T[] = [];
    for (const [oldest, one] of this.#sent) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#remove(oldest, one);
      dropped.push(one);
    }
    return dropped;
  }

  /** A request has this nonce. What it answers; undefined when it answers nothing that is held. */
  answered(nonce: string): T | undefined {
    const answered = this.#sent.get(nonce);
    if (answered !== undefined) this.#remove(nonce, answered);
    return answered;
  }

  #remove(nonce: string, { bytes }: T): void {
    this.#sent.delete(nonce);
    this.#bytes -= bytes;
  }
}
