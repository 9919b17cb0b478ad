/**
 * What `/etc/resolv.conf` says (resolv.conf(5)).
 */
import { isIP } from "node:net";
import { type WireName, wireName } from "../wire/name.ts";

/** The upstream servers and how they are to be asked. */
export interface ResolverConfig {
  /** In the file's order; each once. */
  readonly servers: readonly Upstream[];
  readonly search: readonly WireName[];
  readonly options: ResolverOptions;
}

/** A server. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
}

/** Those of its options that somebody who forwards can follow; what a file does not say is undefined. */
export interface ResolverOptions {
  /** Dots that make resolvers try a name as it is first. */
  readonly ndots: number;
  /** For one try, in milliseconds. */
  readonly timeoutMs: number | undefined;
  readonly attempts: number;
  readonly rotate: boolean;
  /** Queries without EDNS get it. */
  readonly edns0: boolean;
  /** Ask over TCP. */
  readonly useVc: boolean;
}

/** More are of no use to anybody who waits. */
const maxServers = 8;
const maxSearchDomains = 32;

/** Read it. Whatever is no line of such a file is passed over, as resolvers do. */
export function parseResolvConf(text: string, port: number): ResolverConfig {
  const servers = new Map<string, Upstream>();
  let search: readonly string[] = [];
  const options: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [keyword = "", ...values] = line
      .replace(/^\s*[#;].*$/, "")
      .trim()
      .split(/\s+/);
    const [first = ""] = values;
    if (keyword === "nameserver" && isIP(first) !== 0 && servers.size < maxServers)
      servers.set(first, { host: first, port });
    else if (keyword === "search") search = values;
    else if (keyword === "domain") search = first === "" ? [] : [first];
    else if (keyword === "options") options.push(...values);
  }
  const valueOf = (name: string, most: number): number | undefined => {
    const given = options.findLast((option) => option.startsWith(`${name}:`))?.slice(name.length + 1) ?? "";
    return /^\d{1,9}$/.test(given) ? Math.min(Number(given), most) : undefined;
  };
  const seconds = valueOf("timeout", 30);
  return {
    servers: [...servers.values()],
    search: search.slice(0, maxSearchDomains).flatMap((domain) => wireName(domain) ?? []),
    options: {
      ndots: valueOf("ndots", 15) ?? 1,
      timeoutMs: seconds === undefined ? undefined : Math.max(1, seconds) * 1_000,
      attempts: Math.max(1, valueOf("attempts", 5) ?? 2),
      rotate: options.includes("rotate"),
      edns0: options.includes("edns0"),
      useVc: options.includes("use-vc"),
    },
  };
}
