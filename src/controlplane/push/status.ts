/**
 * Which proxies are connected and what each has taken or refused: `/debug/syncz`.
 */

/** State of one type at one proxy. */
export interface TypeSync {
  readonly sentNonce: string;
  readonly ackedNonce: string;
  /** Envoy's words, when it refused the last response. */
  readonly error?: string;
}

/** One connected proxy. */
export interface ProxySync {
  readonly proxy: string;
  readonly protocol: "delta" | "state-of-the-world";
  readonly connectedAt: string;
  readonly types: Readonly<Record<string, TypeSync>>;
  /** Why its workload takes no traffic; undefined when it does. */
  readonly unhealthy: string | undefined;
}

/** The connected proxies; each connection keeps its own entry current. */
export class ConnectionTable {
  readonly #entries = new Map<object, () => ProxySync>();

  /** Show a connection until the result is disposed. */
  add(describe: () => ProxySync): Disposable {
    const key = {};
    this.#entries.set(key, describe);
    return {
      [Symbol.dispose]: () => {
        this.#entries.delete(key);
      },
    };
  }

  /** All of them, by proxy. */
  list(): readonly ProxySync[] {
    return [...this.#entries.values()]
      .map((describe) => describe())
      .toSorted((a, b) => (a.proxy < b.proxy ? -1 : 1));
  }
}
