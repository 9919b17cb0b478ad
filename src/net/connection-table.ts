/**
 * How many connections a server holds, and which of them goes when one more comes.
 *
 * A newcomer is taken in and the one that has waited longest goes for it: who asks at once is answered, however many
 * connections sit there and say nothing. Those of whoever has most of them go first.
 */

/** Limits of one server. */
export interface ConnectionLimits {
  readonly most: number;
  /** Of these, from one address. */
  readonly mostOfOneSource: number;
}

interface Entry {
  readonly source: string;
  isBusy: boolean;
}

/** The open connections; `C` is whatever stands for one. */
export class ConnectionTable<C> {
  readonly #limits: ConnectionLimits;
  /** By the time since which they wait, the longest first. */
  readonly #entries = new Map<C, Entry>();
  #busy = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Connections with a request that is not answered. */
  get busy(): number {
    return this.#busy;
  }

  /**
   * Take a connection in. Returns those that must be closed for it: the connection itself where every other is at
   * work.
   *
   * @param isTight descriptors are running out, so that one goes for each that comes
   */
  open(connection: C, source: string, isTight = false): readonly C[] {
    const victims: C[] = [];
    const sources = this.#countSources();
    const ofThis = sources.get(source) ?? 0;
    if (ofThis >= this.#limits.mostOfOneSource) victims.push(...this.#longestWaiting(source));
    else if (this.#entries.size >= this.#limits.most || isTight)
      victims.push(...this.#longestWaiting(this.#greediest(sources)), ...this.#longestWaiting(undefined));
    const isFull = ofThis >= this.#limits.mostOfOneSource || this.#entries.size >= this.#limits.most;
    const [victim] = victims;
    if (victim === undefined && isFull) return [connection];
    this.#entries.set(connection, { source, isBusy: false });
    if (victim === undefined) return [];
    this.close(victim);
    return [victim];
  }

  /** A request has come. */
  work(connection: C): void {
    const entry = this.#entries.get(connection);
    if (entry === undefined || entry.isBusy) return;
    entry.isBusy = true;
    this.#busy += 1;
  }

  /** Every request has been answered. */
  wait(connection: C): void {
    const entry = this.#entries.get(connection);
    if (entry === undefined) return;
    this.close(connection);
    this.#entries.set(connection, { ...entry, isBusy: false });
  }

  close(connection: C): void {
    if (this.#entries.get(connection)?.isBusy === true) this.#busy -= 1;
    this.#entries.delete(connection);
  }

  #countSources(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { source } of this.#entries.values()) counts.set(source, (counts.get(source) ?? 0) + 1);
    return counts;
  }

  #greediest(sources: ReadonlyMap<string, number>): string | undefined {
    let [greediest, most]: [string | undefined, number] = [undefined, 0];
    for (const [source, count] of sources) if (count > most) [greediest, most] = [source, count];
    return greediest;
  }

  /** None, or the one; of every source unless one is given. */
  #longestWaiting(source: string | undefined): C[] {
    for (const [connection, entry] of this.#entries) {
      if (!entry.isBusy && (source === undefined || entry.source === source)) return [connection];
    }
    return [];
  }
}

/**
 * A server's share of the descriptors that a process may have.
 *
 * @param share one part of so many: a quarter unless told, as what closes connections can make room again
 */
export function connectionLimits(descriptors: number, share = 4): ConnectionLimits {
  const most = Math.min(1_024, Math.max(16, Math.floor(descriptors / share)));
  return { most, mostOfOneSource: Math.ceil((most * 3) / 4) };
}
