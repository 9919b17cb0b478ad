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
  // Says at the end of an Envoy who still was connected.
  "downstream_cx_active",
];

/** Envoy's `stats_tags`. */
export function statsTags(): Json {
  return tags.map(([tag_name, regex]) => ({ tag_name, regex }));
}

/** Envoy's `stats_matcher.inclusion_list.patterns`. */
export function statsPatterns(): Json {
  return [
    { prefix: "reporter=" },
    ...prefixes.map((prefix) => ({ prefix })),
    ...suffixes.map((suffix) => ({ suffix })),
    { safe_regex: { regex: String.raw`vhost\..*\.route\..*` } },
    { prefix: "component" },
    { prefix: "istio" },
  ];
}
