/**
 * How many queries are open, of each client and in all.
 */

/** Most that may be open. */
export interface OpenLimits {
  readonly perClient: number;
  readonly all: number;
}

/** Counts; a client that has none open takes no memory. */
export class ClientLimit {
  readonly #limits: OpenLimits;
  readonly #clients = new Map<string, number>();
  #open = 0;

  constructor(limits: OpenLimits) {
    this.#limits = limits;
  }

  get open(): number {
    return this.#open;
  }

  /** False when it may not: there are as many as there may be. */
  enter(client: string): boolean {
    const own = this.#clients.get(client) ?? 0;
    if (own >= this.#limits.perClient || this.#open >= this.#limits.all) return false;
    this.#clients.set(client, own + 1);
    this.#open += 1;
    return true;
  }

  leave(client: string): void {
    const own = this.#clients.get(client) ?? 0;
    this.#open -= 1;
    if (own <= 1) this.#clients.delete(client);
    else this.#clients.set(client, own - 1);
  }
}
