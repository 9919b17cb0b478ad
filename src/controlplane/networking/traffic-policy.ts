/**
 * A DestinationRule's policies as fields of a cluster.
 */
import type { ClusterJson } from "../../proto/envoy/envoy/config/cluster/v3/cluster_pb.js";
import type { OutlierDetectionJson } from "../../proto/envoy/envoy/config/cluster/v3/outlier_detection_pb.js";
import type { ServicePort } from "../model/model.ts";
import { defaults } from "./clusters.ts";
import type { Policies } from "./destination-rules.ts";
import { jsonDuration, wholeSeconds } from "./durations.ts";
import { byDownstreamProtocol, http1Only, http2Only, type HttpConnections } from "./http-options.ts";
import { isHttp, isHttp2 } from "./names.ts";

type Of<Name extends keyof Policies> = Policies[Name];

/** Smallest ring of a consistent hash, unless the rule says another. */
const minimumRingSize = 1_024;

/** The policy by which endpoints are chosen. */
export function loadBalancing(policy: Of<"loadBalancer">): Partial<ClusterJson> {
  const hash = policy?.consistentHash;
  if (hash !== undefined) {
    if (hash.maglev !== undefined) {
      const { tableSize } = hash.maglev;
      return {
        lbPolicy: "MAGLEV",
        ...(tableSize === undefined ? {} : { maglevLbConfig: { tableSize: String(tableSize) } }),
      };
    }
    const size = hash.ringHash?.minimumRingSize ?? hash.minimumRingSize ?? minimumRingSize;
    return { lbPolicy: "RING_HASH", ringHashLbConfig: { minimumRingSize: String(size) } };
  }
  const slowStart = slowStartOf(policy);
  switch (policy?.simple) {
    case "ROUND_ROBIN":
      return {
        lbPolicy: "ROUND_ROBIN",
        ...(slowStart && { roundRobinLbConfig: { slowStartConfig: slowStart } }),
      };
    case "RANDOM":
      return { lbPolicy: "RANDOM" };
    default:
      return {
        lbPolicy: "LEAST_REQUEST",
        ...(slowStart && { leastRequestLbConfig: { slowStartConfig: slowStart } }),
      };
  }
}

type SlowStart = NonNullable<NonNullable<ClusterJson["roundRobinLbConfig"]>["slowStartConfig"]>;

function slowStartOf(policy: Of<"loadBalancer">): SlowStart | undefined {
  const duration = policy?.warmup?.duration ?? policy?.warmupDurationSecs;
  if (duration === undefined) return undefined;
  const { aggression, minimumPercent } = policy?.warmup ?? {};
  return {
    slowStartWindow: jsonDuration(duration),
    ...(aggression === undefined
      ? {}
      : { aggression: { defaultValue: aggression, runtimeKey: "istio.warmup.aggression" } }),
    ...(minimumPercent === undefined ? {} : { minWeightPercent: { value: minimumPercent } }),
  };
}

/** Limits of connections and requests, and how connections are kept. */
export function connectionPool(policy: Of<"connectionPool">): Partial<ClusterJson> {
  if (policy === undefined) return {};
  const { tcp, http } = policy;
  const limits = {
    maxConnections: tcp?.maxConnections,
    maxPendingRequests: http?.http1MaxPendingRequests,
    maxRequests: http?.http2MaxRequests,
    maxRetries: http?.maxRetries,
  };
  const said = Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
  const [threshold] = defaults.circuitBreakers?.thresholds ?? [];
  const { probes, time, interval } = tcp?.tcpKeepalive ?? {};
  return {
    circuitBreakers: { thresholds: [{ ...threshold, ...said }] },
    ...(tcp?.connectTimeout === undefined ? {} : { connectTimeout: jsonDuration(tcp.connectTimeout) }),
    ...(tcp?.tcpKeepalive === undefined
      ? {}
      : {
          upstreamConnectionOptions: {
            tcpKeepalive: {
              ...(probes === undefined ? {} : { keepaliveProbes: probes }),
              ...(time === undefined ? {} : { keepaliveTime: wholeSeconds(time) }),
              ...(interval === undefined ? {} : { keepaliveInterval: wholeSeconds(interval) }),
            },
          },
        }),
  };
}

/** Which HTTP is spoken, and for how long on one connection. */
export function protocolOptions(
  port: Pick<ServicePort, "protocol">,
  { connectionPool: pool, tls }: Policies,
): Partial<ClusterJson> {
  const { tcp, http } = pool ?? {};
  const common = {
    ...(http?.idleTimeout === undefined ? {} : { idleTimeout: jsonDuration(http.idleTimeout) }),
    ...(http?.maxRequestsPerConnection === undefined || http.maxRequestsPerConnection === 0
      ? {}
      : { maxRequestsPerConnection: http.maxRequestsPerConnection }),
    ...(tcp?.maxConnectionDuration === undefined
      ? {}
      : { maxConnectionDuration: jsonDuration(tcp.maxConnectionDuration) }),
  };
  // A server that is called by TLS of its own is told, and has to prove, the name that the request is for.
  const isNamedByRequest = (tls?.mode === "SIMPLE" || tls?.mode === "MUTUAL") && tls.sni === undefined;
  const connections: HttpConnections = {
    common: Object.keys(common).length === 0 ? undefined : common,
    upstream: isNamedByRequest ? { autoSni: true, autoSanValidation: true } : undefined,
    maxConcurrentStreams: http?.maxConcurrentStreams,
  };
  if (port.protocol === "auto" || (isHttp(port) && http?.useClientProtocol === true))
    return byDownstreamProtocol(undefined, connections);
  if (isHttp2(port) || (isHttp(port) && http?.h2UpgradePolicy === "UPGRADE")) return http2Only(connections);
  return isHttp(port) ? http1Only(connections) : {};
}

/** When an endpoint that fails is left alone for a while. */
export function outlierDetection(policy: Of<"outlierDetection">): OutlierDetectionJson | undefined {
  if (policy === undefined) return undefined;
  const server = policy.consecutive5xxErrors ?? policy.consecutiveErrors;
  const gateway = policy.consecutiveGatewayErrors;
  const local = policy.consecutiveLocalOriginFailures;
  return {
    ...(server === undefined
      ? {}
      : { consecutive5xx: server, enforcingConsecutive5xx: server > 0 ? 100 : 0 }),
    ...(gateway === undefined
      ? {}
      : { consecutiveGatewayFailure: gateway, enforcingConsecutiveGatewayFailure: gateway > 0 ? 100 : 0 }),
    enforcingSuccessRate: 0,
    ...(policy.interval === undefined ? {} : { interval: jsonDuration(policy.interval) }),
    ...(policy.baseEjectionTime === undefined
      ? {}
      : { baseEjectionTime: jsonDuration(policy.baseEjectionTime) }),
    ...(policy.maxEjectionPercent === undefined ? {} : { maxEjectionPercent: policy.maxEjectionPercent }),
    ...(policy.splitExternalLocalOriginErrors === true
      ? {
          splitExternalLocalOriginErrors: true,
          ...(local === undefined
            ? {}
            : {
                consecutiveLocalOriginFailure: local,
                enforcingConsecutiveLocalOriginFailure: local > 0 ? 100 : 0,
              }),
        }
      : {}),
  };
}
