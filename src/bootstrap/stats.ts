/**
 * Which statistics Envoy keeps and which labels it cuts out of their names, as Istio's sidecar has them.
 */
import type { Json } from "./parameters.ts";

const namePart = String.raw`((?:[_.[:digit:]]*|[_\[\]aAbBcCdDeEfF[:digit:]]*))\.`;

/** Tag name to regular expression; the order is Istio's. */
const tags: readonly (readonly [name: string, regex: string])[] = [
  ["cluster_name", String.raw`^cluster(\.(.+);)`],
  [
    "http_conn_manager_prefix",
    String.raw`^http\.(((?:[_.[:digit:]\w]*|[_\[\]aAbBcCdDeEfF[:digit:]\w\:]*));\.)`,
  ],
  ["thread_name", String.raw`^server(\.(.+))\.watchdog`],
  ["tcp_prefix", String.raw`^tcp\.((.*?)\.)\w+?$`],
  ["response_code", String.raw`_rq(_(\d{3}))$`],
  ["response_code_class", String.raw`_rq(_(\dxx))$`],
  ["http_conn_manager_listener_prefix", String.raw`^listener(?=\.).*?\.http\.(${namePart})`],
  ["listener_address", String.raw`^listener\.(${namePart})`],
  ["mongo_prefix", String.raw`^mongo\.(.+?)\.(collection|cmd|cx_|op_|delays_|decoding_)(.*?)$`],
];

/** The rest of them, which come after a user's own. */
const laterTags: typeof tags = [
  ["cache", String.raw`(cache\.(.+?)\.)`],
  ["component", String.raw`(component\.(.+?)\.)`],
  ["tag", String.raw`(tag\.(.+?);\.)`],
  ["wasm_filter", String.raw`(wasm_filter\.(.+?)\.)`],
  ["authz_enforce_result", String.raw`rbac(\.(allowed|denied))`],
  ["authz_dry_run_action", String.raw`(\.istio_dry_run_(allow|deny)_)`],
  ["authz_dry_run_result", String.raw`(\.shadow_(allowed|denied))`],
];

/** Kept whatever the user asks for: the agent's own probes and Istio's dashboards read them. */
const prefixes = ["cluster_manager", "listener_manager", "server", "cluster.xds-grpc", "wasm"];
const suffixes = [
  "rbac.allowed",
  "rbac.denied",
  "shadow_allowed",
  "shadow_denied",
  // Say which peers are not trusted.
  "ssl.handshake",
  "ssl.fail_verify_error",
  "ssl.fail_verify_san",
  "ssl.fail_verify_no_cert",
  // Says at the end of an Envoy who still was connected.
  "downstream_cx_active",
];

/** Envoy's `stats_tags`; `extra` are labels that the control plane puts into names as `label=.=value;.;`. */
export function statsTags(extra: readonly string[]): Json {
  const own = [...new Set(extra)].map(
    (name) => [name, `(${escaped(name)}${String.raw`=\.=(.*?);\.;)`}`] as const,
  );
  return [...tags, ...own, ...laterTags].map(([tag_name, regex]) => ({ tag_name, regex }));
}

/** A name that stands for itself in a regular expression. */
function escaped(name: string): string {
  return name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** Statistics that a user wants beside those that are always kept. */
export interface Inclusion {
  readonly prefixes: readonly string[];
  readonly suffixes: readonly string[];
  readonly regexps: readonly string[];
  /** Peers are discovered through the control plane. */
  readonly discoversPeers: boolean;
}

/** Envoy's `stats_matcher.inclusion_list.patterns`. */
export function statsPatterns(user: Inclusion): Json {
  return [
    { prefix: "reporter=" },
    ...(user.discoversPeers ? [{ prefix: "workload_discovery" }] : []),
    ...[...user.prefixes, ...prefixes].map((prefix) => ({ prefix })),
    ...[...user.suffixes, ...suffixes].map((suffix) => ({ suffix })),
    ...[...user.regexps, String.raw`vhost\..*\.route\..*`].map((regex) => ({ safe_regex: { regex } })),
    { prefix: "component" },
    { prefix: "istio" },
  ];
}
