/**
 * A proxy as its node describes it (Istio's node ID and metadata).
 */
import { canonicalAddress } from "../../net/canonical-address.ts";
import { parseGoBoolean } from "../../schema/go-boolean.ts";
import { byNamespace } from "./by-namespace.ts";
import { type Model, type Scoped, selects } from "./model.ts";
import type { SidecarSpec } from "../config/objects.ts";

/** The fields of Envoy's node that count. */
export interface NodeFacts {
  readonly id: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly cluster?: string;
  readonly locality?: {
    readonly region?: string | undefined;
    readonly zone?: string | undefined;
    readonly subZone?: string | undefined;
  };
}

const interceptionModes = ["REDIRECT", "TPROXY", "NONE"] as const;

/** Istio's INTERCEPTION_MODE; whatever else a node says is REDIRECT, as in Istio. */
export type InterceptionMode = (typeof interceptionModes)[number];

/** What kinds of proxy there are (the first part of a node ID). */
export type ProxyType = "sidecar" | "router" | "other";

/** A proxy. */
export interface Proxy {
  readonly id: string;
  /** Its credential proves its namespace and service account. */
  readonly isProven?: boolean;
  /** `region/zone/subzone` as its node says; empty when it does not. */
  readonly locality?: string;
  /** A sidecar unless the node ID says something else. */
  readonly type?: ProxyType;
  readonly addresses: readonly string[];
  readonly name: string;
  readonly namespace: string;
  /** As the node ID has it; empty when it has none. */
  readonly idNamespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** How its traffic is captured; nothing is with NONE, and listeners bind their ports. */
  readonly interceptionMode: InterceptionMode;
  /** Its pod has no privileges (UNPRIVILEGED_POD). */
  readonly isUnprivileged?: boolean;
  /** As its node has it, for EnvoyFilters that ask. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Name of the WorkloadEntry by which it was registered. */
  readonly registeredAs?: string;
  /** As spans name it. */
  readonly tracing?: { readonly cluster: string; readonly clusterId: string; readonly meshId: string };
  /** Its agent answers DNS, and wants the names of the mesh. */
  readonly answersDns: boolean;
}

/** Longest node ID, in characters: a pod's name has up to 253, its namespace 63. */
const maxIdLength = 1_024;

/** Read a node; undefined when its ID is not `<type>~<ip>~<name>.<namespace>~<domain>`. */
export function parseProxy(node: NodeFacts): Proxy | undefined {
  if (node.id.length > maxIdLength || /[^!-~]/.test(node.id)) return undefined;
  const [type, address, workload, domain, ...rest] = node.id.split("~");
  if (type === undefined || address === undefined || workload === undefined || domain === undefined)
    return undefined;
  if (rest.length > 0) return undefined;
  const text = (key: string): string => {
    const value = node.metadata[key];
    return typeof value === "string" ? value : "";
  };
  const dot = workload.lastIndexOf(".");
  const idNamespace = dot < 0 ? "" : workload.slice(dot + 1);
  const labels = node.metadata["LABELS"];
  const ownLabels = typeof labels === "object" && labels !== null ? (labels as Record<string, string>) : {};
  return {
    id: node.id,
    type: type === "sidecar" || type === "router" ? type : "other",
    addresses: [
      ...new Set([address, ...text("INSTANCE_IPS").split(",")].map((entry) => canonicalAddress(entry))),
    ].filter((entry) => entry !== ""),
    locality: placeOf(node.locality) || labelledPlace(ownLabels["istio-locality"]),
    name: dot < 0 ? workload : workload.slice(0, dot),
    namespace: text("NAMESPACE") || idNamespace,
    idNamespace,
    labels: ownLabels,
    serviceAccount: text("SERVICE_ACCOUNT"),
    metadata: node.metadata,
    tracing: { cluster: node.cluster ?? "", clusterId: text("CLUSTER_ID"), meshId: text("MESH_ID") },
    isUnprivileged: text("UNPRIVILEGED_POD") === "true",
    interceptionMode: interceptionModes.find((mode) => mode === text("INTERCEPTION_MODE")) ?? "REDIRECT",
    answersDns: ["DNS_CAPTURE", "ENABLE_DNS_SERVER"].some((key) => parseGoBoolean(text(key)) === true),
  };
}

/** A node says whatever it likes. */
function labelledPlace(label: unknown): string {
  return typeof label === "string" ? label.replaceAll(".", "/") : "";
}

/** As Istio writes it: what is not said ends it. */
function placeOf({ region, zone, subZone }: NonNullable<NodeFacts["locality"]> = {}): string {
  if (!region) return "";
  return [region, zone, zone ? subZone : ""].filter((part) => part !== undefined && part !== "").join("/");
}

/** What it takes for a proxy without any to have one. */
export function whyNoListener({ type, namespace }: Proxy): string {
  if (type === "router") return "no Gateway selects its labels, or no rule is for those that do";
  if (type === "other")
    return "this control plane serves sidecars and routers only, neither ztunnel nor waypoints";
  return `it captures nothing (INTERCEPTION_MODE=NONE), no Sidecar of the namespace ${namespace} names a port for it, and it sees no service that it could bind a port for`;
}

/** The Sidecar that applies: one that selects the workload, else the namespace's own, else the root namespace's. */
export function sidecarOf(
  { sidecars, settings }: Pick<Model, "sidecars" | "settings">,
  proxy: Pick<Proxy, "namespace" | "labels">,
): SidecarSpec | undefined {
  const isForAll = ({ spec }: Scoped<SidecarSpec>): boolean =>
    Object.keys(spec.workloadSelector?.labels ?? {}).length === 0;
  const index = byNamespace(sidecars);
  const own = index.of(proxy.namespace);
  const found =
    own.find(
      (sidecar) => !isForAll(sidecar) && selects(sidecar.spec.workloadSelector?.labels ?? {}, proxy.labels),
    ) ??
    own.find(isForAll) ??
    index.of(settings.rootNamespace).find(isForAll);
  return found?.spec;
}
