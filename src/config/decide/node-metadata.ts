/**
 * Node metadata by the rules of Istio's agent: variables first, in order, then the fields that the agent itself
 * knows, which nothing overrides.
 */
import type { Environment } from "../sources/environment.ts";
import type { Json } from "../../bootstrap/parameters.ts";
import { jsonValue } from "../../document/json.ts";
import { configurationLimits } from "../../document/limits.ts";
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";
import { parseGoBoolean } from "../../schema/go-boolean.ts";
import { isMapping } from "../../document/mapping.ts";

/** Metadata as variables bring it, and the labels that ISTIO_METAJSON_LABELS holds. */
export interface RawMetadata {
  readonly entries: ReadonlyMap<string, Json>;
  readonly labels: Readonly<Record<string, string>>;
}

/** Where raw metadata comes from. */
export interface MetadataSources {
  /** All of it, for those that are named by a prefix. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly parsed: Environment;
  readonly proxyMetadata: Readonly<Record<string, string>>;
}

const metaPrefix = "ISTIO_META_";
const jsonPrefix = "ISTIO_METAJSON_";

/** Keys whose text is true or false by Go's rules. */
const booleans = new Set([
  "DNS_CAPTURE",
  "DNS_AUTO_ALLOCATE",
  "ENABLE_HBONE",
  "DISABLE_HBONE_SEND",
  "ENABLE_SELF_DISCOVERY",
  "INBOUND_LISTENER_EXACT_BALANCE",
  "OUTBOUND_LISTENER_EXACT_BALANCE",
]);

/** Keys that are not text in the control plane's eyes, and what to set instead. */
const ownKeys: Readonly<Record<string, string>> = {
  ENVOY_STATUS_PORT: "set ENVOY_STATUS_PORT",
  ENVOY_PROMETHEUS_PORT: "set ENVOY_PROMETHEUS_PORT",
  ENVOY_SECURE_METRICS_PORT: "set ENVOY_SECURE_METRICS_PORT",
  ENVOY_SECURE_MERGED_METRICS_PORT: "set ENVOY_SECURE_MERGED_METRICS_PORT",
  LABELS: "set ISTIO_METAJSON_LABELS",
  STATIC_LABELS: "set ISTIO_METAJSON_LABELS",
  ANNOTATIONS: "it comes from the pod's annotations file",
  PILOT_SAN: "it comes from discoveryAddress",
  PLATFORM_METADATA: "it comes from the cloud",
  PROXY_CONFIG: "set PROXY_CONFIG",
};

/** Read it all; problems for what the control plane could not read, warnings for what is passed over. */
export function rawMetadata(
  sources: MetadataSources,
  problems: ConfigProblem[],
  warnings: string[],
): RawMetadata {
  const entries = new Map<string, Json>();
  for (const from of [sources.proxyMetadata, sources.env]) {
    for (const [name, value] of Object.entries(from)) {
      if (!name.startsWith(metaPrefix) || value === undefined) continue;
      const key = name.slice(metaPrefix.length);
      const instead = Object.hasOwn(ownKeys, key) ? ownKeys[key] : undefined;
      if (instead === undefined) entries.set(key, readText(name, key, value, problems));
      else problems.push({ source: name, path: "", message: `cannot be text: ${instead}` });
    }
  }
  let labels: Readonly<Record<string, string>> = {};
  for (const [name, value] of Object.entries(sources.env)) {
    if (!name.startsWith(jsonPrefix) || value === undefined) continue;
    const fields = parseMapping(value);
    if (fields === undefined) {
      warnings.push(`${name}: is not a JSON object such as {"key": "value"}; ignored`);
      continue;
    }
    for (const [key, entry] of Object.entries(fields)) entries.set(key, entry);
    if (name === `${jsonPrefix}LABELS`) labels = textsOf(fields);
  }
  const dnsProxyAddress = sources.parsed.DNS_PROXY_ADDR;
  if (dnsProxyAddress !== "") entries.set("DNS_PROXY_ADDR", dnsProxyAddress);
  return { entries, labels };
}

function readText(source: string, key: string, value: string, problems: ConfigProblem[]): string {
  if (booleans.has(key) && value !== "") {
    const flag = parseGoBoolean(value);
    if (flag !== undefined) return String(flag);
    problems.push({ source, path: "", message: `${shown(value)} is not true or false` });
  }
  if (key === "POD_PORTS" && value !== "" && !isJsonList(value)) {
    problems.push({ source, path: "", message: 'is not a JSON list such as [{"containerPort": 80}]' });
  }
  return value;
}

/** `first` with every pair of `second` whose key it lacks, sorted by key as Go prints maps. */
export function typedFirst(
  first: Readonly<Record<string, Json | undefined>>,
  second: ReadonlyMap<string, Json>,
): Readonly<Record<string, Json>> {
  const merged = new Map<string, Json>(second);
  for (const [key, value] of Object.entries(first)) if (value !== undefined) merged.set(key, value);
  return Object.fromEntries([...merged].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function textsOf(fields: Readonly<Record<string, Json>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function parseMapping(text: string): Readonly<Record<string, Json>> | undefined {
  const value = jsonValue(text, configurationLimits);
  return isMapping(value) ? (value as Readonly<Record<string, Json>>) : undefined;
}

function isJsonList(text: string): boolean {
  return Array.isArray(jsonValue(text, configurationLimits));
}
