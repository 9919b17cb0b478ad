/** Two control planes' resources for one proxy, field by field. */
import type { Json, Resources } from "./fetch-resources.ts";

/** One field in which they differ. */
export interface Difference {
  /** Names and places in it are those of the resource: `clusters/outbound|80||api/lb_policy`. */
  readonly path: string;
  readonly ours: unknown;
  readonly theirs: unknown;
}

/** What says nothing of where a request goes, or of what it may: names in statistics, logs and traces, buffers. */
const aside: ReadonlySet<string> = new Set([
  ...[
    "metadata",
    "filter_metadata",
    "stat_prefix",
    "alt_stat_name",
    "access_log",
    "tracing",
    "track_remaining",
  ],
  ...["request_id_extension", "initial_read_buffer_size", "traffic_direction"],
  ...["max_connections_to_accept_per_socket_event"],
  // The one that Envoy has anyway, with the size of its sockets.
  "typed_dns_resolver_config",
  // A number of the cluster's API: only that it changes counts.
  "ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION",
]);

/** Empty where both mean the same. */
export function differences(ours: Resources, theirs: Resources): readonly Difference[] {
  const found: Difference[] = [];
  compare("", normal(ours), normal(theirs), found);
  return found;
}

function compare(path: string, ours: unknown, theirs: unknown, found: Difference[]): void {
  if (isMap(ours) && isMap(theirs)) {
    for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)]))
      compare(path === "" ? key : `${path}/${key}`, ours[key], theirs[key], found);
  } else if (JSON.stringify(ours) !== JSON.stringify(theirs)) found.push({ path, ours, theirs });
}

function isMap(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Lists of things with names become maps; a list's order counts where there are none. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(normal);
    const keys = items.map(keyOf);
    if (items.length > 0 && keys.every((key) => key !== undefined) && new Set(keys).size === keys.length)
      return Object.fromEntries(items.map((item, index) => [keys[index], item]));
    return items.every((item) => typeof item === "string")
      ? items.toSorted()
      : Object.fromEntries(items.map((item, index) => [`#${index}`, item]));
  }
  if (!isMap(value)) return value;
  const only = onlyOne(value);
  if (only !== undefined) return normal(only);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => !aside.has(key) && !isImplied(key, item))
      .map(([key, item]) => alike(key, normal(item)))
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
}

/** All or any of one rule are that rule: RBAC may say it with and without them. */
function onlyOne(value: Json): unknown {
  const [entry, ...others] = Object.entries(value);
  if (entry === undefined || others.length > 0) return undefined;
  const [key, inner] = entry;
  if (!isMap(inner)) return undefined;
  const list = inner[key.endsWith("_rules") ? "rules" : "ids"];
  return /^(?:and|or)_(?:rules|ids)$/.test(key) && Array.isArray(list) && list.length === 1
    ? list[0]
    : undefined;
}

/** What Envoy does anyway. */
function isImplied(key: string, item: unknown): boolean {
  return (
    (isMap(item) && Object.keys(item).length === 0) ||
    (key === "case_sensitive" && item === true) ||
    (key === "sha256" && item === "nil") ||
    (key === "tls_maximum_protocol_version" && item === "TLSv1_3") ||
    // Of a handshake; chains without TLS have none.
    (key === "transport_socket_connect_timeout" && item === "15s")
  );
}

/** The old and the new field for a certificate's names say the same of names that are URIs. */
function alike(key: string, item: unknown): readonly [string, unknown] {
  if (key !== "match_typed_subject_alt_names" || !isMap(item)) return [key, item];
  const matchers = Object.entries(item).map(([place, san]) => [place, isMap(san) ? san["matcher"] : san]);
  return ["match_subject_alt_names", Object.fromEntries(matchers)];
}

function keyOf(item: unknown): string | undefined {
  if (!isMap(item)) return undefined;
  const { name, cluster_name, filter_chain_match, endpoint } = item;
  if (typeof name === "string" && name !== "") return name;
  if (typeof cluster_name === "string") return cluster_name;
  if (filter_chain_match !== undefined) return JSON.stringify(filter_chain_match);
  const address = isMap(endpoint) ? endpoint["address"] : undefined;
  return address === undefined ? undefined : JSON.stringify(address);
}
