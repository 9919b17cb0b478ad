/**
 * The mesh as translation sees it: services with their endpoints, and the policies by what they apply to.
 */
import type { SecretCertificates } from "../config/secret-contents.ts";
import type {
  AuthorizationPolicySpec,
  ConfigObject,
  DestinationRuleSpec,
  GatewayApiTraits,
  GatewaySpec,
  MeshConfigSpec,
  MutualTlsMode,
  RequestAuthenticationSpec,
  SidecarSpec,
  TelemetrySpec,
  VirtualServiceSpec,
} from "../config/objects.ts";
import type { TrafficExtension } from "./extensions.ts";
import type { PatchSet } from "./patches.ts";
import type { ProviderServices } from "./providers.ts";
import type { Selecting } from "../config/rules/selection.ts";
import type { PeerPolicies } from "./peer-policies.ts";
import { isTarget, targetsOf } from "./policy-targets.ts";

/** What a port carries, as far as listeners differ; `auto` is found out connection by connection. */
export type Protocol = "http" | "http2" | "grpc" | "tcp" | "tls" | "auto";

/** A port of a service. */
export interface ServicePort {
  readonly number: number;
  readonly name: string;
  readonly targetPort: number;
  readonly protocol: Protocol;
}

/** A workload that serves. */
export interface Endpoint {
  /** Of the workload that was declared; undefined for one that stands in a service. */
  readonly name?: string;
  readonly address: string;
  /** Port number by port name, where it differs from the target port. */
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, string>>;
  /** `region/zone/subzone`; empty when it is not known. */
  readonly locality: string;
  /** Empty when the workload has no identity and so no sidecar. */
  readonly serviceAccount: string;
  readonly namespace: string;
  readonly weight: number;
  /** False when its proxy says that it cannot take traffic. */
  readonly isHealthy: boolean;
}

/** Where a workload serves a port: what it says of that name itself, else the service's target port. */
export function portOf({ ports }: Pick<Endpoint, "ports">, { name, targetPort }: ServicePort): number {
  // A port may be named like what every object inherits.
  return (Object.hasOwn(ports, name) ? ports[name] : undefined) ?? targetPort;
}

/** A service by its host name. */
export interface Service {
  readonly host: string;
  readonly namespace: string;
  /** IP addresses and, in CIDR form, ranges of them. */
  readonly addresses: readonly string[];
  readonly ports: readonly ServicePort[];
  readonly resolution: "STATIC" | "DNS" | "DNS_ROUND_ROBIN" | "NONE";
  readonly endpoints: readonly Endpoint[];
  /** It is no part of the mesh (MESH_EXTERNAL): its endpoints are called as they are. */
  readonly isExternal: boolean;
  /** Names that certificates of its endpoints may have; those of their service accounts when there are none. */
  readonly subjectAltNames: readonly string[];
  /** Namespaces that see it (`exportTo`): every one when empty. */
  readonly exportTo: readonly string[];
}

/** A policy with the namespace it was written in. */
export interface Scoped<Spec> {
  readonly name: string;
  readonly namespace: string;
  readonly spec: Spec;
  /** It stands for objects of the Gateway API. */
  readonly gatewayApi?: GatewayApiTraits;
}

/** An AuthorizationPolicy, enforced or only counted. */
export interface AuthorizationPolicy extends Scoped<AuthorizationPolicySpec> {
  readonly isDryRun: boolean;
}

/** Certificates of a gateway, for routers of their namespace, or credentials of images. */
export interface Secret extends SecretCertificates {
  readonly name: string;
  readonly namespace: string;
  /** Docker's configuration; undefined where it has none. */
  readonly dockerConfig: string | undefined;
  /** Of a cluster, which shows all pods: it is for those only whose they are. */
  readonly isInCluster: boolean;
}

/** Settings of the whole mesh. */
export interface MeshSettings {
  /** The mesh's own first, then its aliases (MeshConfig trustDomainAliases): identities in any of them are the same. */
  readonly trustDomains: readonly string[];
  /** Namespace whose policies apply to the whole mesh. */
  readonly rootNamespace: string;
  /** Variables of the control plane, whose values headers to extension providers may have. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Everything that translation reads. In every list what is older comes first, and decides where several apply. What is as it
 * was in the model before is the same object: whatever is made of it may be kept by it.
 */
export interface Model {
  readonly settings: MeshSettings;
  readonly services: readonly Service[];
  /** Every workload that is declared, whether a service leads to it or not. */
  readonly workloads: readonly Endpoint[];
  /** Pods that a Gateway selects and that are no workloads: on the network of their node, without an address yet. */
  readonly gatewayPods: readonly Endpoint[];
  readonly virtualServices: readonly Scoped<VirtualServiceSpec>[];
  readonly destinationRules: readonly Scoped<DestinationRuleSpec>[];
  readonly peers: PeerPolicies;
  readonly authorizationPolicies: readonly AuthorizationPolicy[];
  readonly requestAuthentications: readonly Scoped<RequestAuthenticationSpec>[];
  readonly sidecars: readonly Scoped<SidecarSpec>[];
  readonly gateways: readonly Scoped<GatewaySpec>[];
  readonly secrets: readonly Secret[];
  readonly telemetries: readonly Scoped<TelemetrySpec>[];
  readonly envoyFilters: readonly PatchSet[];
  /** WasmPlugins are among them. */
  readonly extensions: readonly TrafficExtension[];
  /** Where its extension providers are. */
  readonly providerServices: ProviderServices;
  /** Anything of the mesh is traced: proxies say who they are. */
  readonly isTraced: boolean;
  /** What is said for the whole mesh. */
  readonly meshConfig: MeshConfigSpec;
  /** The roots of the mesh, each as PEM; empty where nobody says them. */
  readonly trustBundle: readonly string[];
  /** Names of the labels of who calls that any rule asks for. */
  readonly callerLabels: ReadonlySet<string>;
}

/** Objects of one kind. */
export function ofKind<Kind extends ConfigObject["kind"]>(
  objects: readonly ConfigObject[],
  kind: Kind,
): readonly Extract<ConfigObject, { kind: Kind }>[] {
  return objects.filter((object): object is Extract<ConfigObject, { kind: Kind }> => object.kind === kind);
}

/** True when `labels` has every pair of `selector`. */
export function selects(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** True when an object of `owner` with this `exportTo` is seen in `namespace`. */
export function isExportedTo(
  exportTo: readonly string[] | undefined,
  owner: string,
  namespace: string,
): boolean {
  if (exportTo === undefined || exportTo.length === 0) return true;
  return exportTo.some((to) => to === "*" || to === namespace || (to === "." && owner === namespace));
}

/**
 * Policies of the workload's namespace and of the root namespace that select the workload, or all of them, and those of its
 * namespace for the Gateway whose router it is.
 */
export function applyingPolicies<Policy extends Scoped<Selecting>>(
  { settings }: Pick<Model, "settings">,
  policies: readonly Policy[],
  workload: Selectable,
): readonly Policy[] {
  return policies.filter(({ namespace, spec }) => {
    const targets = targetsOf(spec);
    if (targets.length > 0) return namespace === workload.namespace && isTarget(targets, workload);
    return (
      (namespace === workload.namespace || namespace === settings.rootNamespace) &&
      selects(spec.selector?.matchLabels ?? {}, workload.labels)
    );
  });
}

/** A workload, as policies select it. */
export type Selectable = Pick<Endpoint, "namespace" | "labels">;

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
}

/**
 * The mutual TLS mode of a workload's port: workload over namespace over mesh; PERMISSIVE when nothing is said.
 * Without a port, that of all ports for which nothing else is said. Both sides of a connection decide by it.
 */
export function mutualTlsMode(
  { peers }: Pick<Model, "peers">,
  workload: Selectable,
  port?: number,
): MutualTlsMode {
  const { own, ofNamespace, ofMesh } = peers.of(workload);
  const modes = [
    port === undefined ? undefined : own?.portLevelMtls?.[String(port)]?.mode,
    own?.mtls?.mode,
    ofNamespace?.mtls?.mode,
    ofMesh?.mtls?.mode,
  ];
  const mode = modes.find((candidate) => candidate !== undefined && candidate !== "UNSET");
  return mode ?? "PERMISSIVE";
}

/** The ports of a workload for which a policy says something of their own, in order. */
export function portsWithOwnMode({ peers }: Pick<Model, "peers">, workload: Selectable): readonly number[] {
  return Object.keys(peers.of(workload).own?.portLevelMtls ?? {})
    .map(Number)
    .toSorted((a, b) => a - b);
}

/** True for a policy that selects workloads; an empty selector selects none, and the policy is for all. */
export function hasSelector({ selector }: { readonly selector?: Selector | undefined }): boolean {
  return Object.keys(selector?.matchLabels ?? {}).length > 0;
}
