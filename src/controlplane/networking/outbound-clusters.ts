/**
 * The clusters of a service: one per port and subset, as its DestinationRule has them.
 */
import type { ClusterJson } from "../../proto/envoy/envoy/config/cluster/v3/cluster_pb.js";
import { RawBufferSchema } from "../../proto/envoy/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js";
import { workloadId } from "../../pki/spiffe-id.ts";
import type { Caller } from "../model/caller.ts";
import type { Model, Service, ServicePort } from "../model/model.ts";
import { packed } from "./any.ts";
import { defaults } from "./clusters.ts";
import { type AppliedRule, type Policies, policiesOf } from "./destination-rules.ts";
import { asksForPlace, type CallerPlace } from "./locality.ts";
import { assignment, takesMutualTls } from "./load-assignment.ts";
import { isHttp2, outboundCluster, serverName } from "./names.ts";
import { clientTls, originationTls } from "./tls.ts";
import { connectionPool, loadBalancing, outlierDetection, protocolOptions } from "./traffic-policy.ts";
import type { ProxyView } from "./view.ts";

/** What is read of the mesh and of the caller for the clusters of a service. */
interface ClusterContext {
  readonly model: Pick<Model, "settings" | "peers">;
  readonly lookupFamily: LookupFamily;
  readonly place: CallerPlace;
}

type LookupFamily = NonNullable<ClusterJson["dnsLookupFamily"]>;

/** Makes one cluster per port and subset of a service. */
export function outboundClusters(view: ProxyView): (service: Service) => readonly ClusterJson[] {
  const { settings, peers } = view.model;
  const lookupFamily = lookupFamilyOf(view.proxy);
  const kept = view.memo.clusters.in([settings, peers, lookupFamily]);
  const context = { model: { settings, peers }, lookupFamily, place: view.proxy };
  return (service) => {
    const rule = view.ruleOf(service);
    const place = asksForPlace(rule) ? view.memo.places.of(view.proxy) : undefined;
    return kept.get(service, rule, place, () => clustersOf(context, service, rule));
  };
}

function clustersOf(
  view: ClusterContext,
  service: Service,
  rule: AppliedRule | undefined,
): readonly ClusterJson[] {
  return service.ports.flatMap((port) =>
    ["", ...(rule?.subsets ?? []).map(({ name }) => name)].map((subset) =>
      outbound(view, service, port, subset, rule),
    ),
  );
}

/** The cluster under another name, for what passes with the TLS that it came in. */
export function passedCluster(
  view: ProxyView,
  service: Service,
  port: ServicePort,
  subset: string,
  name: string,
): ClusterJson {
  const rule = view.ruleOf(service);
  const policies = policiesOf(rule, subset, port);
  const outliers = outlierDetection(policies.outlierDetection);
  const context = { model: view.model, lookupFamily: lookupFamilyOf(view.proxy), place: view.proxy };
  return {
    ...defaults,
    name,
    altStatName: `${name};`,
    ...discovery(context, service, port, subset, { name, rule }, policies),
    ...connectionPool(policies.connectionPool),
    ...(outliers === undefined ? {} : { outlierDetection: outliers }),
  };
}

function outbound(
  view: ClusterContext,
  service: Service,
  port: ServicePort,
  subset: string,
  rule: AppliedRule | undefined,
): ClusterJson {
  const name = outboundCluster(service.host, port.number, subset);
  const policies = policiesOf(rule, subset, port);
  const outliers = outlierDetection(policies.outlierDetection);
  return {
    ...defaults,
    name,
    altStatName: `${name};`,
    ...discovery(view, service, port, subset, { name, rule }, policies),
    commonLbConfig: {
      healthyPanicThreshold: percentOf(policies.outlierDetection?.minHealthPercent),
      ...(isDistributed(policies) ? { localityWeightedLbConfig: {} } : {}),
    },
    ...connectionPool(policies.connectionPool),
    ...(outliers === undefined ? {} : { outlierDetection: outliers }),
    ...protocolOptions(port, policies),
    ...transport(view, service, port, subset, policies),
    ...(rule === undefined ? {} : { metadata: { filterMetadata: { istio: ruleMetadata(rule, subset) } } }),
  };
}

/** What `proxy-config clusters` shows as the rule. */
function ruleMetadata({ name, namespace }: AppliedRule, subset: string): Readonly<Record<string, string>> {
  const config = `/apis/networking.istio.io/v1/namespaces/${namespace}/destination-rule/${name}`;
  return { config, ...(subset === "" ? {} : { subset }) };
}

/** Weights of localities count where the rule says some. */
function isDistributed({ loadBalancer }: Policies): boolean {
  const { enabled, distribute = [] } = loadBalancer?.localityLbSetting ?? {};
  return enabled !== false && distribute.length > 0;
}

function percentOf(value: number | undefined): { readonly value?: number } {
  return value === undefined || value === 0 ? {} : { value };
}

function discovery(
  view: ClusterContext,
  service: Service,
  port: ServicePort,
  subset: string,
  named: { readonly name: string; readonly rule: AppliedRule | undefined },
  { loadBalancer }: Policies,
): Partial<ClusterJson> {
  const { resolution } = service;
  const { name, rule } = named;
  if (resolution === "NONE" || loadBalancer?.simple === "PASSTHROUGH")
    return { type: "ORIGINAL_DST", lbPolicy: "CLUSTER_PROVIDED" };
  if (resolution === "STATIC") {
    return {
      type: "EDS",
      edsClusterConfig: {
        edsConfig: { ads: {}, initialFetchTimeout: "0s", resourceApiVersion: "V3" },
        serviceName: name,
      },
      ...loadBalancing(loadBalancer),
    };
  }
  const found = assignment({ peers: view.model.peers, place: view.place }, service, port, subset, rule);
  const names = (found.endpoints ?? []).flatMap(({ lbEndpoints = [] }) => lbEndpoints);
  // A logical cluster has exactly one name, or Envoy refuses it.
  const isLogical = resolution === "DNS_ROUND_ROBIN" && names.length === 1;
  return {
    type: isLogical ? "LOGICAL_DNS" : "STRICT_DNS",
    dnsLookupFamily: view.lookupFamily,
    dnsRefreshRate: "60s",
    dnsJitter: "0.100s",
    respectDnsTtl: true,
    loadAssignment: { ...found, clusterName: name },
    ...loadBalancing(loadBalancer),
  };
}

function lookupFamilyOf({ wildcards: [first, second] }: Caller): LookupFamily {
  if (second !== undefined) return "ALL";
  return first === "::" ? "V6_ONLY" : "V4_ONLY";
}

/** Mutual TLS to every endpoint that takes it, unless a DestinationRule decides otherwise. */
function transport(
  { model }: ClusterContext,
  service: Service,
  port: ServicePort,
  subset: string,
  { tls, connectionPool: pool, loadBalancer }: Policies,
): Partial<ClusterJson> {
  const http2 = isHttp2(port) || pool?.http?.h2UpgradePolicy === "UPGRADE";
  if (tls !== undefined && tls.mode !== "ISTIO_MUTUAL") {
    if (tls.mode === undefined || tls.mode === "DISABLE") return {};
    return { transportSocket: originationTls(tls, service, http2) };
  }
  const mutual = service.endpoints.filter((endpoint) => takesMutualTls(model, endpoint, port));
  const named = tls === undefined ? mutual : service.endpoints.filter((each) => each.serviceAccount !== "");
  const identities = named.flatMap(({ namespace, serviceAccount }) =>
    model.settings.trustDomains.map((domain) => workloadId(domain, namespace, serviceAccount)),
  );
  const names = tls?.subjectAltNames ?? service.subjectAltNames;
  const socket = clientTls({
    sni: tls?.sni ?? serverName(service.host, port.number, subset),
    identities: names.length > 0 ? names : [...new Set(identities)],
    http2,
  });
  if (tls !== undefined) return { transportSocket: socket };
  if (service.isExternal || mutual.length === 0) return {};
  // There are no endpoints with metadata of their own where the caller chose the address.
  if (service.resolution === "NONE" || loadBalancer?.simple === "PASSTHROUGH")
    return mutual.length === service.endpoints.length ? { transportSocket: socket } : {};
  return {
    transportSocketMatches: [
      { name: "tlsMode-istio", match: { tlsMode: "istio" }, transportSocket: socket },
      {
        name: "tlsMode-disabled",
        match: {},
        transportSocket: {
          name: "envoy.transport_sockets.raw_buffer",
          typedConfig: packed(RawBufferSchema, {}),
        },
      },
    ],
  };
}
