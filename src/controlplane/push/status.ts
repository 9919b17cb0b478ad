/**
 * Which proxies are connected and what each has taken or refused: `/debug/syncz`.
 */
import type { ResourcesByType } from "./snapshot.ts";

/** State of one type at one proxy. */
export interface TypeSync {
  readonly sentNonce: string;
  readonly ackedNonce: string;
  /** Envoy's words, when it refused the last response. */
  readonly error?: string;
  /** What it goes on refusing, by name. */
  readonly refused?: readonly RefusedResource[];
  /** When what was sent last was taken or refused, or, while it is neither, when the proxy got behind. */
  readonly since: string;
}

/** A resource that a proxy refuses. */
export interface RefusedResource {
  readonly name: string;
  /** Envoy's words. */
  readonly reason: string;
  readonly serves: "last good" | "nothing";
}

/** One connected proxy. */
export interface ProxySync {
  /** Its node ID. */
  readonly proxy: string;
  /** `web-1.demo`, as in istiod's own answers. */
  readonly name: string;
  /** CLUSTER_ID of its metadata; empty where it says none. */
  readonly cluster: string;
  /** ISTIO_VERSION of its metadata; empty where it says none. */
  readonly version: string;
  readonly protocol: "delta" | "state-of-the-world";
  readonly connectedAt: string;
  readonly types: Readonly<Record<string, TypeSync>>;
  /** Why its workload takes no traffic; undefined when it does. */
  readonly unhealthy: string | undefined;
}

/** What a connection says of itself, each time anew. */
export interface ShownConnection {
  readonly sync: () => ProxySync;
  /** What its proxy is to have. */
  readonly resources: () => ResourcesByType;
}

/** The connected proxies; each connection keeps its own entry current. */
export class ConnectionTable {
  readonly #entries = new Map<object, ShownConnection>();

  /** Show a connection until the result is disposed. */
  add(connection: ShownConnection): Disposable {
    const key = {};
    this.#entries.set(key, connection);
    return {
      [Symbol.dispose]: () => {
        this.#entries.delete(key);
      },
    };
  }

  /** All of them, by proxy. */
  list(): readonly ProxySync[] {
    return [...this.#entries.values()]
      .map(({ sync }) => sync())
      .toSorted((a, b) => (a.proxy < b.proxy ? -1 : 1));
  }

  /** What the proxy of that name or node ID is to have; undefined when none is connected. */
  resourcesOf(proxy: string): ResourcesByType | undefined {
    // Of a proxy that came again, the newest connection counts.
    return [...this.#entries.values()]
      .findLast(({ sync }) => [sync().name, sync().proxy].includes(proxy))
      ?.resources();
  }
}
