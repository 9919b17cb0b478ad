/**
 * The files of a machine, as `istioctl x workload entry configure` writes them: pure functions of the WorkloadGroup and of what is
 * known of the mesh.
 */
import { stringify } from "yaml";
import { isMapping } from "../../document/mapping.ts";
import type { WorkloadGroup } from "./read-group.ts";

/** What the control plane, or the cluster, knows. */
export interface MeshFacts {
  readonly rootPem: string;
  readonly token: string;
  /** `defaultConfig` of the MeshConfig, as it was written. */
  readonly defaultConfig: Readonly<Record<string, unknown>>;
  readonly trustDomain: string;
  /** Port of discovery over TLS. */
  readonly discoveryPort: number;
}

/** What the operator chooses. */
export interface MachineChoices {
  readonly autoregister: boolean;
  readonly capturesDns: boolean;
  readonly clusterId: string;
  readonly istioNamespace: string;
  /** Where the machine reaches the control plane; undefined where it finds it itself. */
  readonly ingressIp: string | undefined;
  /** The machine's own address, and whether it is one that others alone see. */
  readonly address: { readonly ip: string; readonly isExternal: boolean } | undefined;
}

/** One file of the folder. */
export interface MachineFile {
  readonly name: string;
  readonly content: string;
  /** Permission bits. */
  readonly mode: number;
}

/** Ports that are never captured: SSH, Envoy's own, and the agent's unless another is chosen. */
const excludedPorts = [22, 15_090, 15_021];
const agentPort = 15_020;

/** Every file, by its name. */
export function machineFiles(
  group: WorkloadGroup,
  facts: MeshFacts,
  choices: MachineChoices,
): readonly MachineFile[] {
  const proxyConfig = proxyConfigOf(group, facts, choices);
  const host = `istiod.${choices.istioNamespace}.svc`;
  const hosts = choices.ingressIp === undefined ? "" : `${choices.ingressIp} ${host}\n`;
  return [
    { name: "cluster.env", content: clusterEnvironment(group, proxyConfig, choices), mode: 0o644 },
    { name: "mesh.yaml", content: stringify({ defaultConfig: proxyConfig }), mode: 0o644 },
    { name: "root-cert.pem", content: facts.rootPem, mode: 0o644 },
    { name: "istio-token", content: facts.token, mode: 0o600 },
    { name: "hosts", content: hosts, mode: 0o644 },
  ];
}

type ProxyConfig = Readonly<Record<string, unknown>> & {
  readonly proxyMetadata: Readonly<Record<string, string>>;
};

function proxyConfigOf(
  { name, namespace, spec, overlay }: WorkloadGroup,
  facts: MeshFacts,
  choices: MachineChoices,
): ProxyConfig {
  const { template, metadata, probe } = spec;
  const base = { ...facts.defaultConfig, ...overlay };
  const labels: Record<string, string> = { ...metadata?.labels, ...template.labels };
  const [canonicalName, canonicalRevision] = canonicalOf(labels, name);
  const ports = Object.entries(template.ports ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([port, containerPort]) => ({ name: port, containerPort }));
  const proxyMetadata: Record<string, string> = {
    ...textsOf(facts.defaultConfig["proxyMetadata"]),
    ...textsOf(overlay["proxyMetadata"]),
    CANONICAL_SERVICE: canonicalName,
    CANONICAL_REVISION: canonicalRevision,
    POD_NAMESPACE: namespace,
    SERVICE_ACCOUNT: template.serviceAccount ?? "default",
    TRUST_DOMAIN: facts.trustDomain,
    ISTIO_META_CLUSTER_ID: choices.clusterId,
    ISTIO_META_MESH_ID: typeof base["meshId"] === "string" ? base["meshId"] : "",
    ISTIO_META_NETWORK: template.network ?? "",
    ISTIO_META_WORKLOAD_NAME: name,
    ISTIO_METAJSON_LABELS: JSON.stringify({
      ...labels,
      "service.istio.io/canonical-name": canonicalName,
      "service.istio.io/canonical-revision": canonicalRevision,
    }),
    ...(ports.length === 0 ? {} : { ISTIO_META_POD_PORTS: JSON.stringify(ports) }),
    ...(choices.capturesDns ? { ISTIO_META_DNS_CAPTURE: "true" } : {}),
    ...(choices.autoregister ? { ISTIO_META_AUTO_REGISTER_GROUP: name } : {}),
  };
  return {
    discoveryAddress: `istiod.${choices.istioNamespace}.svc:${facts.discoveryPort}`,
    ...base,
    ...(probe === undefined ? {} : { readinessProbe: probe }),
    proxyMetadata,
  };
}

/** What names the workload in metrics (Istio's canonical service). */
function canonicalOf(
  labels: Readonly<Record<string, string>>,
  name: string,
): readonly [name: string, revision: string] {
  const first = (...keys: readonly string[]): string | undefined =>
    keys.map((key) => labels[key]).find((value) => value !== undefined && value !== "");
  return [
    first("service.istio.io/canonical-name", "app.kubernetes.io/name", "app") ?? name,
    first("service.istio.io/canonical-revision", "app.kubernetes.io/version", "version") ?? "latest",
  ];
}

function clusterEnvironment(
  { name, namespace, spec }: WorkloadGroup,
  proxyConfig: ProxyConfig,
  { address }: MachineChoices,
): string {
  const ports = Object.values(spec.template.ports ?? {});
  const status = proxyConfig["statusPort"];
  const statusPort = typeof status === "number" && status !== 0 ? status : agentPort;
  const variables: Record<string, string> = {
    ...proxyConfig.proxyMetadata,
    ISTIO_INBOUND_PORTS: ports.length === 0 ? "*" : ports.join(","),
    ISTIO_NAMESPACE: namespace,
    ISTIO_SERVICE: `${name}.${namespace}`,
    ISTIO_SERVICE_CIDR: "*",
    ISTIO_LOCAL_EXCLUDE_PORTS: [...new Set([...excludedPorts, statusPort])].join(","),
    SERVICE_ACCOUNT: spec.template.serviceAccount ?? "default",
    // Istio's start script reads the first, an agent itself the second.
    ...(address === undefined ? {} : { ISTIO_SVC_IP: address.ip, INSTANCE_IP: address.ip }),
    ...(address?.isExternal === true ? { REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION: "true" } : {}),
  };
  return Object.entries(variables)
    .map(([variable, value]) => `${variable}=${quoted(value)}\n`)
    .toSorted()
    .join("");
}

/** As a shell and systemd read it. */
function quoted(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'"'"'`)}'`;
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isMapping(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]));
}
