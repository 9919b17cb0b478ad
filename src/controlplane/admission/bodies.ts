/**
 * Bodies of requests that are being read, from whoever reaches the port: of bounded size, and so many at once.
 *
 * The one that has come longest ago and is not whole goes for the newest: the API server sends what it has at once.
 */
import type { IncomingMessage } from "node:http";

/** How much is read. */
export interface BodyLimits {
  readonly maxBytes: number;
  readonly mostAtOnce: number;
}

/** Reads bodies of one server. */
export class Bodies {
  readonly #limits: BodyLimits;
  /** The oldest first. */
  readonly #unfinished = new Set<IncomingMessage>();

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /**
   * The whole body; undefined for one that is too large, of which nothing more is read.
   *
   * @throws Error when the connection ends before it is whole
   */
  async read(request: IncomingMessage): Promise<Buffer | undefined> {
    const { maxBytes, mostAtOnce } = this.#limits;
    if (Number(request.headers["content-length"] ?? 0) > maxBytes) return undefined;
    const [oldest] = this.#unfinished;
    if (this.#unfinished.size >= mostAtOnce && oldest !== undefined) {
      this.#unfinished.delete(oldest);
      oldest.destroy(new Error("its body took longer than those of others"));
    }
    this.#unfinished.add(request);
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      // Whoever leaves the loop answers: the connection must not be gone by then.
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes) return undefined;
        chunks.push(chunk);
      }
    } finally {
      this.#unfinished.delete(request);
    }
    return Buffer.concat(chunks);
  }
}
