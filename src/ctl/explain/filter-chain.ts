/**
 * Which filter chain of a listener takes a connection, by Envoy's order of criteria (FilterChainMatch). Pure.
 */
import { at, listAt, textAt } from "../../lifecycle/json-path.ts";
import { inCidr } from "./in-cidr.ts";

/** What the listener's filters find out of a connection. */
export interface Incoming {
  readonly address: string;
  readonly port: number;
  readonly serverName: string | undefined;
  readonly transport: "tls" | "raw_buffer";
  /** In the client's order. */
  readonly applications: readonly string[];
}

/** How well a chain fits by one criterion: greater is better, 0 says nothing, undefined does not fit. */
type Criterion = (match: unknown, incoming: Incoming) => number | undefined;

const criteria: readonly Criterion[] = [
  (match, { port }) => {
    const wanted = at(match, "destination_port");
    return wanted === undefined ? 0 : Number(wanted) === port ? 1 : undefined;
  },
  (match, { address }) => {
    const ranges = listAt(match, "prefix_ranges");
    if (ranges.length === 0) return 0;
    const bits = ranges
      .map((range) => [textAt(range, "address_prefix") ?? "", Number(at(range, "prefix_len") ?? 0)] as const)
      .filter(([prefix, length]) => inCidr(address, prefix, length))
      .map(([, length]) => length + 1);
    return bits.length === 0 ? undefined : Math.max(...bits);
  },
  (match, { serverName = "" }) => {
    const names = listAt(match, "server_names").map(String);
    if (names.length === 0) return 0;
    const fitting = names.filter((name) =>
      name.startsWith("*.") ? serverName.endsWith(name.slice(1)) : name === serverName,
    );
    return fitting.length === 0 ? undefined : Math.max(...fitting.map((name) => name.length));
  },
  (match, { transport }) => {
    const wanted = textAt(match, "transport_protocol") ?? "";
    return wanted === "" ? 0 : wanted === transport ? 1 : undefined;
  },
  (match, { applications }) => {
    const wanted = listAt(match, "application_protocols").map(String);
    if (wanted.length === 0) return 0;
    const first = applications.findIndex((application) => wanted.includes(application));
    return first < 0 ? undefined : applications.length - first;
  },
];

/** Undefined where none takes it: the connection is closed. */
export function filterChainFor(listener: unknown, incoming: Incoming): unknown {
  let left = listAt(listener, "filter_chains");
  for (const criterion of criteria) {
    const fits = left.map((chain) => [criterion(at(chain, "filter_chain_match"), incoming), chain] as const);
    const best = Math.max(-1, ...fits.flatMap(([fit]) => fit ?? []));
    // Once a chain says something and fits, those that say nothing are not gone back to.
    left = fits.filter(([fit]) => fit === best).map(([, chain]) => chain);
  }
  return left[0] ?? at(listener, "default_filter_chain");
}
