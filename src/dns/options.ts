import type { PodPlace } from "./table/short-names.ts";

/** What the DNS proxy is run with. */
export interface DnsOptions {
  /** Where it listens, over UDP and TCP. */
  readonly listen: ListenPlace;
  readonly place: PodPlace;
  /** Files that name the upstream servers, the first that is there. */
  readonly resolvConfPaths: readonly string[];
  /** Where those servers are asked: 53, as such a file has no ports. */
  readonly upstreamPort: number;
  /** Ask every upstream at once instead of one after the other. */
  readonly isParallel: boolean;
  /** The longest that a client waits for the upstreams, in milliseconds. */
  readonly forwardTimeoutMs: number;
  /** Of answers from the table, in seconds. */
  readonly ttlSeconds: number;
  /** Addresses of a name come in another order each time. */
  readonly shuffles: boolean;
  /** How long queries wait for the first name table before all of them are forwarded, in milliseconds. */
  readonly gateMs: number;
  /** Answers of upstreams that are kept; 0 for none. */
  readonly cacheEntries: number;
  /** How long an answer may serve after its end when no upstream gives one, in milliseconds; 0 for never. */
  readonly serveStaleMs: number;
  /** Forwarded queries of one client that may be open at once. */
  readonly clientQueries: number;
}

/** Addresses and a port. */
export type ListenPlace =
  /** On loopback, in the families of the upstream servers. */
  | { readonly kind: "localhost"; readonly port: number }
  | { readonly kind: "every address"; readonly port: number }
  | { readonly kind: "address"; readonly host: string; readonly port: number };
