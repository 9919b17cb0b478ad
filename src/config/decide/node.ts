/**
 * Who this proxy is to the control plane: Envoy's node, as Istio's agent describes it.
 */
import type { Json } from "../../bootstrap/parameters.ts";
import type { PlatformFacts } from "../sources/config-sources.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import type { SdsSockets } from "../sources/sds-sockets.ts";
import { type MetadataSources, rawMetadata, typedFirst } from "./node-metadata.ts";

/** What the node is made from. */
export interface NodeSources extends MetadataSources {
  readonly proxyType: string;
  /** Instance addresses, the pod's own first. */
  readonly addresses: readonly string[];
  /** Third part of the node ID; undefined is `pod.namespace`, whichever of the two is missing. */
  readonly id: string | undefined;
  /** DNS domain suffix, the fourth part of the node ID. */
  readonly domain: string;
  /** ProxyConfig as protobuf's JSON. */
  readonly proxyConfig: Json;
  readonly serviceCluster: string;
  readonly tracingServiceName: string | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly version: string;
  readonly outlierLogPath: string | undefined;
  readonly stsPort: number;
  readonly platform: PlatformFacts | undefined;
  readonly sdsSockets: SdsSockets;
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

type Labels = Readonly<Record<string, string>>;

/** Build the node; problems are added for what cannot be sent, warnings for what is passed over. */
export function describeNode(
  sources: NodeSources,
  problems: ConfigProblem[],
  warnings: string[],
): NodeDescription {
  const { parsed: env, platform } = sources;
  const raw = rawMetadata(sources, problems, warnings);
  const fixed = { ...raw.labels, ...platform?.labels };
  const labels = withoutHash({ ...fixed, ...sources.labels });
  const path = localityPath(labels);
  const localized = path === "" ? {} : { "istio-locality": path };
  // Without a labels file the two are one map to Istio, so the locality is in both.
  const shared = sources.labels === undefined ? localized : {};
  const typed: Record<string, Json | undefined> = {
    ANNOTATIONS: nonEmpty(sources.annotations ?? {}),
    ENVOY_PROMETHEUS_PORT: env.ENVOY_PROMETHEUS_PORT || undefined,
    ENVOY_SECURE_MERGED_METRICS_PORT: env.ENVOY_SECURE_MERGED_METRICS_PORT || undefined,
    ENVOY_SECURE_METRICS_PORT: env.ENVOY_SECURE_METRICS_PORT || undefined,
    ENVOY_SKIP_DEPRECATED_LOGS: env.ENVOY_SKIP_DEPRECATED_LOGS ? "true" : undefined,
    ENVOY_STATUS_PORT: env.ENVOY_STATUS_PORT || undefined,
    EXIT_ON_ZERO_ACTIVE_CONNECTIONS: env.EXIT_ON_ZERO_ACTIVE_CONNECTIONS ? "true" : undefined,
    INSTANCE_IPS: [...new Set(sources.addresses)].join(","),
    ISTIO_VERSION: raw.entries.get("ISTIO_VERSION") ?? sources.version,
    LABELS: nonEmpty({ ...labels, ...localized }),
    METADATA_DISCOVERY: String(env.PEER_METADATA_DISCOVERY ?? raw.entries.get("ENABLE_HBONE") === "true"),
    NAME: env.POD_NAME || undefined,
    NAMESPACE: env.POD_NAMESPACE || undefined,
    OUTLIER_LOG_PATH: sources.outlierLogPath,
    PILOT_SAN: sources.discoveryHost === undefined ? undefined : [expectedName(sources.discoveryHost)],
    PLATFORM_METADATA: nonEmpty(platform?.metadata ?? {}),
    PROXY_CONFIG: sources.proxyConfig,
    SERVICE_ACCOUNT: env.SERVICE_ACCOUNT || undefined,
    STATIC_LABELS: nonEmpty({ ...fixed, ...shared }),
    STS_PORT: sources.stsPort === 0 ? undefined : String(sources.stsPort),
    WORKLOAD_IDENTITY_SOCKET_FILE: env.WORKLOAD_IDENTITY_SOCKET_FILE || undefined,
    // Tells the control plane to name the clusters sds-external and sds-files-grpc.
    credential: sources.sdsSockets.hasCredentials ? "true" : undefined,
    "file-credential": sources.sdsSockets.isWorkloadExternal ? "true" : undefined,
  };
  const metadata = typedFirst(typed, raw.entries);
  return {
    id: [
      sources.proxyType,
      sources.addresses[0] ?? "127.0.0.1",
      sources.id ?? `${env.POD_NAME}.${env.POD_NAMESPACE}`,
      sources.domain,
    ].join("~"),
    cluster: clusterName(sources, labels, metadata["WORKLOAD_NAME"]),
    locality: path === "" ? (platform?.locality ?? {}) : localityOf(path),
    metadata,
  };
}

function withoutHash(labels: Labels): Labels {
  const { "pod-template-hash": _, ...rest } = labels;
  return rest;
}

/** Labels cannot hold a slash, so dots stand for it. */
function localityPath(labels: Labels): string {
  const label = (labels["topology.istio.io/locality"] || labels["istio-locality"] || "").trim();
  return label.includes("/") ? label : label.replaceAll(".", "/");
}

function localityOf(path: string): NodeDescription["locality"] {
  const [region = "", zone = "", subZone = ""] = path.split("/");
  return {
    ...(region === "" ? {} : { region }),
    ...(zone === "" ? {} : { zone }),
    ...(subZone === "" ? {} : { sub_zone: subZone }),
  };
}

/** What names a service, in the order that counts for its canonical name, and in the one that counts elsewhere. */
const canonicalLabels = ["service.istio.io/canonical-name", "app.kubernetes.io/name", "app"] as const;
const appLabels = canonicalLabels.toReversed();

function clusterName(sources: NodeSources, labels: Labels, workload: Json | undefined): string {
  const { serviceCluster, tracingServiceName } = sources;
  if (serviceCluster !== "" && serviceCluster !== "istio-proxy") return serviceCluster;
  const nameIn = (keys: readonly string[]): string | undefined =>
    keys.map((key) => labels[key]).find((value) => value !== undefined && value !== "") ??
    (typeof workload === "string" && workload !== "" ? workload : undefined);
  const canonical = nameIn(canonicalLabels);
  if (tracingServiceName === "CANONICAL_NAME_ONLY" && canonical !== undefined) return canonical;
  const isCanonical = tracingServiceName?.startsWith("CANONICAL_NAME") === true;
  const name = (isCanonical ? canonical : nameIn(appLabels)) ?? "istio-proxy";
  const namespace = sources.parsed.POD_NAMESPACE;
  return namespace === "" ? name : `${name}.${namespace}`;
}

function expectedName(host: string): string {
  return host === "localhost" ? "istiod.istio-system.svc" : host;
}

function nonEmpty(values: Labels): Json | undefined {
  return Object.keys(values).length === 0 ? undefined : values;
}
