/**
 * Who this proxy is to the control plane: Envoy's node, as Istio's agent describes it.
 *
 * Typed keys are never overridden by what ISTIO_META_* variables bring under the same name.
 */
import type { Json } from "../bootstrap/parameters.ts";
import type { ConfigProblem } from "./config-problem.ts";
import type { RawProxyConfig } from "./proxy-config.ts";

/** What the node is made from. */
export interface NodeSources {
  readonly proxyType: string;
  /** Instance addresses, the pod's own first. */
  readonly addresses: readonly string[];
  readonly podName: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** DNS domain suffix, the fourth part of the node ID. */
  readonly domain: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly proxyMetadata: Readonly<Record<string, string>>;
  readonly proxyConfig: RawProxyConfig;
  readonly serviceCluster: string;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly version: string;
  readonly envoyStatusPort: number;
  readonly envoyPrometheusPort: number;
  /** host of the discovery address, expected in the control plane's certificate; undefined without TLS. */
  readonly discoveryHost: string | undefined;
}

/** Envoy's node. */
export interface NodeDescription {
  readonly id: string;
  readonly cluster: string;
  readonly locality: { readonly region?: string; readonly zone?: string; readonly sub_zone?: string };
  readonly metadata: Readonly<Record<string, Json>>;
}

/** Build the node; problems are added for what cannot be sent. */
export function describeNode(sources: NodeSources, problems: ConfigProblem[]): NodeDescription {
  const raw = rawMetadata(sources, problems);
  const labels = labelsOf(sources);
  const locality = (labels["topology.istio.io/locality"] ?? labels["istio-locality"] ?? "").trim();
  const path = locality.includes("/") ? locality : locality.replaceAll(".", "/");
  const [region = "", zone = "", subZone = ""] = path.split("/");
  const typed: Record<string, Json | undefined> = {
    ANNOTATIONS: nonEmpty(sources.annotations),
    ENVOY_PROMETHEUS_PORT: sources.envoyPrometheusPort,
    ENVOY_STATUS_PORT: sources.envoyStatusPort,
    INSTANCE_IPS: [...new Set(sources.addresses)].join(","),
    ISTIO_VERSION: raw["ISTIO_VERSION"] ?? sources.version,
    LABELS: nonEmpty(path === "" ? labels : { ...labels, "istio-locality": path }),
    NAME: sources.podName || undefined,
    NAMESPACE: sources.namespace || undefined,
    PILOT_SAN: sources.discoveryHost === undefined ? undefined : [expectedName(sources.discoveryHost)],
    PROXY_CONFIG: sources.proxyConfig as Json,
    SERVICE_ACCOUNT: sources.serviceAccount || undefined,
  };
  const metadata = Object.entries({ ...raw, ...definedOnly(typed) }).sort(([a], [b]) => (a < b ? -1 : 1));
  const namespace = sources.namespace;
  return {
    id: [
      sources.proxyType,
      sources.addresses[0] ?? "127.0.0.1",
      namespace === "" ? sources.podName : `${sources.podName}.${namespace}`,
      sources.domain,
    ].join("~"),
    cluster: clusterName(sources, labels, raw),
    locality: {
      ...(region === "" ? {} : { region }),
      ...(zone === "" ? {} : { zone }),
      ...(subZone === "" ? {} : { sub_zone: subZone }),
    },
    metadata: Object.fromEntries(metadata),
  };
}

function rawMetadata(sources: NodeSources, problems: ConfigProblem[]): Record<string, Json> {
  const raw: Record<string, Json> = {};
  const prefix = "ISTIO_META_";
  for (const from of [sources.proxyMetadata, sources.env]) {
    for (const [name, value] of Object.entries(from)) {
      if (name.startsWith(prefix) && value !== undefined) raw[name.slice(prefix.length)] = value;
    }
  }
  for (const [name, value] of Object.entries(sources.env)) {
    if (!name.startsWith("ISTIO_METAJSON_") || value === undefined) continue;
    const fields = parseMapping(value);
    if (fields !== undefined) Object.assign(raw, fields);
    else
      problems.push({
        source: name,
        path: "",
        message: 'is not a JSON object: write it as {"key": "value"}',
      });
  }
  const dnsProxyAddress = sources.env["DNS_PROXY_ADDR"];
  if (dnsProxyAddress !== undefined && dnsProxyAddress !== "") raw["DNS_PROXY_ADDR"] = dnsProxyAddress;
  return raw;
}

function labelsOf(sources: NodeSources): Readonly<Record<string, string>> {
  const fixed = parseMapping(sources.env["ISTIO_METAJSON_LABELS"] ?? "{}") ?? {};
  const labels = { ...fixed, ...sources.labels };
  const text = Object.entries(labels).filter(
    ([key, value]) => typeof value === "string" && key !== "pod-template-hash",
  );
  return Object.fromEntries(text) as Record<string, string>;
}

function clusterName(
  sources: NodeSources,
  labels: Readonly<Record<string, string>>,
  raw: Readonly<Record<string, Json>>,
): string {
  if (sources.serviceCluster !== "" && sources.serviceCluster !== "istio-proxy")
    return sources.serviceCluster;
  const workload = raw["WORKLOAD_NAME"];
  const name =
    labels["app"] ??
    labels["app.kubernetes.io/name"] ??
    (typeof workload === "string" && workload !== "" ? workload : "istio-proxy");
  return sources.namespace === "" ? name : `${name}.${sources.namespace}`;
}

function expectedName(host: string): string {
  return host === "localhost" ? "istiod.istio-system.svc" : host;
}

function parseMapping(text: string): Record<string, Json> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, Json>;
  } catch {
    return undefined;
  }
  return undefined;
}

function nonEmpty(values: Readonly<Record<string, string>> | undefined): Json | undefined {
  return values === undefined || Object.keys(values).length === 0 ? undefined : values;
}

function definedOnly(values: Readonly<Record<string, Json | undefined>>): Record<string, Json> {
  const defined: Record<string, Json> = {};
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined) defined[key] = value;
  }
  return defined;
}
