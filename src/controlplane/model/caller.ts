/**
 * A proxy as far as it decides what it is told of the rest of the mesh. Proxies that are alike in this are told the same,
 * so nothing else of a proxy is in it: what they are told is made once for all of them.
 */
import { isIPv6 } from "node:net";
import { type Model, portOf, type Scoped, type Service } from "./model.ts";
import type { Selecting } from "../config/rules/selection.ts";
import { servicesOf } from "./by-namespace.ts";
import { patchesFor } from "./patches.ts";
import type { Proxy } from "./proxy.ts";
import type {
  DestinationRuleSpec,
  SidecarSpec,
  TelemetrySpec,
  VirtualServiceSpec,
} from "../config/objects.ts";

/** Who sends spans. */
export interface TracedNode {
  /** As Envoy's node has it (`--service-cluster`). */
  readonly cluster: string;
  readonly namespace: string;
  readonly clusterId: string;
  readonly meshId: string;
  /** Istio's canonical service and its revision. */
  readonly service: string;
  readonly revision: string;
  readonly isRouter: boolean;
}

/** Every address of a family. */
export type Wildcard = "0.0.0.0" | "::";

/** What translation reads of a proxy that calls. */
export interface Caller extends Pick<Proxy, "type" | "namespace" | "interceptionMode" | "answersDns"> {
  /** Those of its labels that some rule asks for; all of a router's, which Gateways and policies select. */
  readonly labels: Readonly<Record<string, string>>;
  /** It binds no port below 1024: of a pod without privileges, whose listeners are its own. */
  readonly isUnprivileged: boolean;
  /** Names of the changes that EnvoyFilters make for it, in order. */
  readonly patches: readonly string[];
  /** Who it is in spans; undefined where nothing is traced. */
  readonly traced: TracedNode | undefined;
  /** `region/zone/subzone`: its own, else that of a service that it is behind; empty when nobody says. */
  readonly locality: string;
  /** Every address of its families, IPv4 first. */
  readonly wildcards: readonly [Wildcard, ...Wildcard[]];
  /** Of a router: the service account that it has proven, which decides about Secrets of its namespace; empty for none. */
  readonly provenAccount: string;
  /** Of a router: where it is called for each port of the services before it. */
  readonly targetPorts: Readonly<Record<string, number>>;
  /** Of a router: hosts of the services before it. */
  readonly services: readonly string[];
}

/** Where every address of a proxy's families is: IPv4 first, as Istio has it. One whose addresses say nothing has IPv4. */
export function wildcardsOf(addresses: readonly string[]): readonly [Wildcard, ...Wildcard[]] {
  const hasIpv6 = addresses.some((address) => isIPv6(address));
  if (!hasIpv6) return ["0.0.0.0"];
  return addresses.some((address) => !isIPv6(address)) ? ["0.0.0.0", "::"] : ["::"];
}

/** A proxy as one that calls. */
export function callerOf(proxy: Proxy, model: CallerModel): Caller {
  const { callerLabels, services } = model;
  const { type = "sidecar", namespace, interceptionMode, answersDns, labels, addresses } = proxy;
  const isRouter = type === "router";
  // What another namespace says of it decides nothing.
  const before = servicesOf(services).atAddresses(namespace, addresses);
  const asked = Object.entries(labels).filter(([key]) => isRouter || callerLabels.has(key));
  return {
    type,
    namespace,
    interceptionMode,
    answersDns,
    labels: Object.fromEntries(asked.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    isUnprivileged: interceptionMode === "NONE" && proxy.isUnprivileged === true,
    patches: patchesFor(model.envoyFilters, model.settings.rootNamespace, proxy),
    traced: tracedNodeOf(proxy, model),
    locality: proxy.locality || localityOf(proxy, before),
    wildcards: wildcardsOf(addresses),
    provenAccount: isRouter && proxy.isProven === true ? proxy.serviceAccount : "",
    targetPorts: isRouter ? targetPortsOf(proxy, before) : {},
    services: isRouter ? hostsOf(before) : [],
  };
}

/** By the oldest service that says one. */
function localityOf({ addresses }: Proxy, before: readonly Service[]): string {
  for (const { endpoints } of before) {
    const own = endpoints.find(({ address, locality }) => locality !== "" && addresses.includes(address));
    if (own !== undefined) return own.locality;
  }
  return "";
}

type CallerModel = Pick<Model, "callerLabels" | "services" | "isTraced" | "envoyFilters" | "settings">;

/** Who a proxy is in spans. */
export function tracedNodeOf(
  { type, namespace, labels, tracing }: Proxy,
  { isTraced }: Pick<Model, "isTraced">,
): TracedNode | undefined {
  if (!isTraced) return undefined;
  return {
    cluster: "",
    clusterId: "",
    meshId: "",
    ...tracing,
    namespace,
    service: labels["service.istio.io/canonical-name"] ?? "",
    revision: labels["service.istio.io/canonical-revision"] ?? "",
    isRouter: type === "router",
  };
}

function hostsOf(before: readonly Service[]): readonly string[] {
  return [...new Set(before.map(({ host }) => host))].toSorted();
}

/** As where a gateway without privileges listens at 8080 for 80; the oldest service counts. */
function targetPortsOf({ addresses }: Proxy, before: readonly Service[]): Readonly<Record<string, number>> {
  const found = new Map<number, number>();
  for (const service of before) {
    const endpoint = service.endpoints.find(({ address }) => addresses.includes(address));
    if (endpoint === undefined) continue;
    for (const port of service.ports)
      if (!found.has(port.number)) found.set(port.number, portOf(endpoint, port));
  }
  return Object.fromEntries([...found].toSorted(([a], [b]) => a - b));
}

/** The rules that ask for labels of who calls. */
interface AskingRules {
  readonly virtualServices: readonly Scoped<VirtualServiceSpec>[];
  readonly destinationRules: readonly Scoped<DestinationRuleSpec>[];
  readonly sidecars: readonly Scoped<SidecarSpec>[];
  readonly telemetries: readonly Scoped<TelemetrySpec>[];
  readonly extensions: readonly Scoped<Selecting>[];
}

/** The names of all labels that rules ask for: whoever adds a rule that does adds it here, or it sees none. */
export function callerLabelsOf(rules: AskingRules): ReadonlySet<string> {
  const selectors = [
    ...rules.destinationRules.map(({ spec }) => spec.workloadSelector?.matchLabels),
    ...rules.sidecars.map(({ spec }) => spec.workloadSelector?.labels),
    ...[...rules.telemetries, ...rules.extensions].map(({ spec }) => spec.selector?.matchLabels),
    ...rules.virtualServices.flatMap(({ spec: { http = [], tcp = [], tls = [] } }) =>
      [...http, ...tcp, ...tls].flatMap(({ match = [] }) => match.map(({ sourceLabels }) => sourceLabels)),
    ),
  ];
  const preferring = rules.destinationRules
    .flatMap(({ spec: { trafficPolicy, subsets = [] } }) => [
      trafficPolicy,
      ...subsets.map((subset) => subset.trafficPolicy),
    ])
    .flatMap((policy) => [policy, ...(policy?.portLevelSettings ?? [])])
    .flatMap((policy) => policy?.loadBalancer?.localityLbSetting?.failoverPriority ?? []);
  return new Set([
    ...selectors.flatMap((selector) => Object.keys(selector ?? {})),
    ...preferring.map((entry) => entry.split("=")[0] ?? ""),
  ]);
}
