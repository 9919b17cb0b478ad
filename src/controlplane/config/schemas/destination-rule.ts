/**
 * How a service is called once a route leads to it: DestinationRule.
 */
import { boolean, integer, list, mapping, object, oneOf, optional, required, text } from "../decode.ts";
import { isHeaderName, isPlace, isPriorityLabel, isRegion } from "../forms.ts";
import {
  count,
  duration,
  exportTo,
  host,
  labels,
  matchLabels,
  percent,
  portNumber,
  positiveDuration,
  subsetName,
} from "./common.ts";

const path = text("an absolute path of a file", (value) => value.startsWith("/") && !value.includes("\0"));

const consistentHash = object({
  httpHeaderName: optional(text("the name of a header", isHeaderName)),
  httpCookie: optional(object({ name: required(text()), path: optional(text()), ttl: optional(duration) })),
  useSourceIp: optional(boolean),
  httpQueryParameterName: optional(text()),
  minimumRingSize: optional(integer(0, 8_388_608)),
  ringHash: optional(object({ minimumRingSize: optional(integer(0, 8_388_608)) })),
  maglev: optional(object({ tableSize: optional(integer(2, 5_000_011)) })),
});

const place = text("region/zone/subzone, of which * stands for all", isPlace);

export const localitySetting = object({
  distribute: optional(
    list(
      object({
        from: required(place),
        to: required(mapping(integer(1, 100), { expected: "a place such as region/zone/*", test: isPlace })),
      }),
    ),
  ),
  failover: optional(
    list(object({ from: required(text("a region", isRegion)), to: required(text("a region", isRegion)) })),
  ),
  failoverPriority: optional(list(text("a label, or label=value", isPriorityLabel), 1)),
  enabled: optional(boolean),
});

const policies = {
  loadBalancer: optional(
    object({
      simple: optional(
        oneOf("UNSPECIFIED", "LEAST_REQUEST", "LEAST_CONN", "ROUND_ROBIN", "RANDOM", "PASSTHROUGH"),
      ),
      consistentHash: optional(consistentHash),
      localityLbSetting: optional(localitySetting),
      warmupDurationSecs: optional(duration),
      warmup: optional(
        object({
          duration: required(positiveDuration),
          minimumPercent: optional(percent),
          aggression: optional(integer(1, 1_000, { takesFractions: true })),
        }),
      ),
    }),
  ),
  connectionPool: optional(
    object({
      tcp: optional(
        object({
          maxConnections: optional(count),
          connectTimeout: optional(positiveDuration),
          tcpKeepalive: optional(
            object({
              probes: optional(count),
              time: optional(positiveDuration),
              interval: optional(positiveDuration),
            }),
          ),
          maxConnectionDuration: optional(positiveDuration),
          idleTimeout: optional(duration),
        }),
      ),
      http: optional(
        object({
          http1MaxPendingRequests: optional(count),
          http2MaxRequests: optional(count),
          maxRequestsPerConnection: optional(count),
          maxRetries: optional(count),
          idleTimeout: optional(positiveDuration),
          h2UpgradePolicy: optional(oneOf("DEFAULT", "DO_NOT_UPGRADE", "UPGRADE")),
          useClientProtocol: optional(boolean),
          maxConcurrentStreams: optional(integer(1, 2_147_483_647)),
        }),
      ),
    }),
  ),
  outlierDetection: optional(
    object({
      splitExternalLocalOriginErrors: optional(boolean),
      consecutiveLocalOriginFailures: optional(count),
      consecutiveGatewayErrors: optional(count),
      consecutive5xxErrors: optional(count),
      consecutiveErrors: optional(count),
      interval: optional(positiveDuration),
      baseEjectionTime: optional(positiveDuration),
      maxEjectionPercent: optional(integer(0, 100)),
      minHealthPercent: optional(integer(0, 100)),
    }),
  ),
  tls: optional(
    object({
      mode: optional(oneOf("DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL")),
      clientCertificate: optional(path),
      privateKey: optional(path),
      caCertificates: optional(path),
      subjectAltNames: optional(list(text())),
      sni: optional(text("a server name", (value) => value !== "" && Buffer.byteLength(value) <= 255)),
      insecureSkipVerify: optional(boolean),
    }),
  ),
};

export const trafficPolicy = object({
  ...policies,
  portLevelSettings: optional(
    list(object({ port: required(object({ number: required(portNumber) })), ...policies })),
  ),
});

export const destinationRule = object({
  host: required(host),
  trafficPolicy: optional(trafficPolicy),
  subsets: optional(
    list(
      object({
        name: required(subsetName),
        labels: optional(labels),
        trafficPolicy: optional(trafficPolicy),
      }),
    ),
  ),
  exportTo: optional(exportTo),
  workloadSelector: optional(matchLabels),
});
