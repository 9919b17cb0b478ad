/**
 * The mesh as translation sees it: services with their endpoints, and the policies by what they apply to.
 */
import type {
  ConfigObject,
  DestinationRuleSpec,
  MutualTlsMode,
  PeerAuthenticationSpec,
  SidecarSpec,
  VirtualServiceSpec,
} from "../config/objects.ts";

/** What a port carries, as far as listeners differ. */
export type Protocol = "http" | "http2" | "tcp";

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
  readonly addresses: readonly string[];
  readonly ports: readonly ServicePort[];
  readonly resolution: "STATIC" | "DNS" | "NONE";
  readonly endpoints: readonly Endpoint[];
}

/** A policy with the namespace it was written in. */
export interface Scoped<Spec> {
  readonly name: string;
  readonly namespace: string;
  readonly spec: Spec;
}

/** Settings of the whole mesh. */
export interface MeshSettings {
  /** The mesh's own first, then its aliases (MeshConfig trustDomainAliases): identities in any of them are the same. */
  readonly trustDomains: readonly string[];
  /** Namespace whose policies apply to the whole mesh. */
  readonly rootNamespace: string;
}

/** Everything that translation reads. */
export interface Model {
  readonly settings: MeshSettings;
  readonly services: readonly Service[];
  /** Every workload that is declared, whether a service leads to it or not. */
  readonly workloads: readonly Endpoint[];
  readonly virtualServices: readonly Scoped<VirtualServiceSpec>[];
  readonly destinationRules: readonly Scoped<DestinationRuleSpec>[];
  readonly peerAuthentications: readonly Scoped<PeerAuthenticationSpec>[];
  readonly sidecars: readonly Scoped<SidecarSpec>[];
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

/** A workload, as policies select it. */
type Selectable = Pick<Endpoint, "namespace" | "labels">;

/**
 * The mutual TLS mode of a workload's port: workload over namespace over mesh; PERMISSIVE when nothing is said.
 * Without a port, that of all ports for which nothing else is said.
 */
export function mutualTlsMode(model: Model, workload: Selectable, port?: number): MutualTlsMode {
  const applying = applyingPolicies(model, workload);
  const own = applying.find(({ spec }) => spec.selector !== undefined);
  const ofNamespace = applying.find(
    ({ spec, namespace }) => spec.selector === undefined && namespace === workload.namespace,
  );
  const ofMesh = applying.find(
    ({ spec, namespace }) => spec.selector === undefined && namespace === model.settings.rootNamespace,
  );
  const modes = [
    port === undefined ? undefined : own?.spec.portLevelMtls?.[String(port)],
    own?.spec.mtls,
    ofNamespace?.spec.mtls,
    ofMesh?.spec.mtls,
  ];
  const mode = modes.find((candidate) => candidate !== undefined && candidate.mode !== "UNSET")?.mode;
  return mode === undefined || mode === "UNSET" ? "PERMISSIVE" : mode;
}

/** The ports of a workload for which a policy says something of their own, in order. */
export function portsWithOwnMode(model: Model, workload: Selectable): readonly number[] {
  const own = applyingPolicies(model, workload).find(({ spec }) => spec.selector !== undefined);
  return Object.keys(own?.spec.portLevelMtls ?? {})
    .map(Number)
    .toSorted((a, b) => a - b);
}

function applyingPolicies(model: Model, workload: Selectable): readonly Scoped<PeerAuthenticationSpec>[] {
  return model.peerAuthentications.filter(
    ({ namespace, spec }) =>
      (namespace === workload.namespace || namespace === model.settings.rootNamespace) &&
      selects(spec.selector?.matchLabels ?? {}, workload.labels),
  );
}
