/** What can be wrong with a DestinationRule. */
import { absent } from "../istio-objects.ts";
import {
  duration,
  host,
  known,
  label,
  missing,
  notAList,
  notAMapping,
  subset,
  time,
  unique,
  type ProblemRow,
} from "./words.ts";

const durationOrNone = `must be 0s, or ${time}`;

export const destinationRuleProblems: readonly ProblemRow[] = [
  ["spec.host", absent, missing],
  ["spec.host", "", host],
  ["spec.trafficPolicy", "a", notAMapping],
  [
    "spec.trafficPolicy.connectionPool",
    {
      tcp: { idleTimeout: "1", connectTimeout: "0s" },
      http: { h2UpgradePolicy: "UPGRADE", useClientProtocol: true },
    },
    `spec.trafficPolicy.connectionPool.tcp.idleTimeout: ${durationOrNone}`,
    `spec.trafficPolicy.connectionPool.tcp.connectTimeout: ${duration}`,
  ],
  [
    "spec.trafficPolicy.connectionPool",
    { http: { h2UpgradePolicy: "UPGRADE", useClientProtocol: true } },
    "spec.trafficPolicy.connectionPool.http.useClientProtocol: and h2UpgradePolicy UPGRADE exclude each other: keep one of them",
  ],
  [
    "spec.trafficPolicy.outlierDetection",
    { consecutiveLocalOriginFailures: 3 },
    "spec.trafficPolicy.outlierDetection.consecutiveLocalOriginFailures: is counted with splitExternalLocalOriginErrors only: set that to true",
  ],
  ["spec.trafficPolicy.tls.mode", "PLAIN", "must be one of DISABLE, SIMPLE, MUTUAL, ISTIO_MUTUAL"],
  ["spec.trafficPolicy.tls.mode", "MUTUAL", "MUTUAL needs clientCertificate and privateKey"],
  [
    "spec.trafficPolicy.loadBalancer.simple",
    "FASTEST",
    "must be one of UNSPECIFIED, LEAST_REQUEST, LEAST_CONN, ROUND_ROBIN, RANDOM, PASSTHROUGH",
  ],
  [
    "spec.trafficPolicy.loadBalancer.consistentHash",
    { useSourceIp: true },
    "spec.trafficPolicy.loadBalancer.simple: and consistentHash exclude each other: keep one of them",
  ],
  [
    "spec.trafficPolicy.loadBalancer.localityLbSetting",
    {
      distribute: [
        { from: "eu/*", to: { "eu/*": 60, "us/*": 41 } },
        { from: "eu/*", to: { "eu/*": 100 } },
        { from: "eu", to: { "us/a": 50, us: 50 } },
        { from: "*", to: { "eu/a": 50, "eu/*": 50 } },
      ],
      failover: [{ from: "eu", to: "eu" }],
    },
    ...[
      "distribute: and failover exclude each other: keep one of them",
      "distribute[0].to: has weights of 101 in all: make it 100",
      "distribute[2].to.us: overlaps with us/a, which comes before it: leave one of them out",
      "distribute[1].from: overlaps with eu/*, which comes before it: leave one of them out",
      "distribute[2].from: overlaps with eu/*, which comes before it: leave one of them out",
      "failover[0].to: is eu, which is what fails",
    ].map((problem) => `spec.trafficPolicy.loadBalancer.localityLbSetting.${problem}`),
    "fails over by outlierDetection only, of which there is none",
  ],
  [
    "spec.trafficPolicy.loadBalancer.localityLbSetting",
    { distribute: [{ from: "eu//a", to: { us: 0 } }], failoverPriority: ["a=b=c"] },
    ...[
      "distribute[0].to.us: must be a whole number from 1 to 100",
      "distribute[0].from: must be region/zone/subzone, of which * stands for all",
      "failoverPriority[0]: must be a label, or label=value",
    ].map((problem) => `spec.trafficPolicy.loadBalancer.localityLbSetting.${problem}`),
  ],
  [
    "spec.trafficPolicy.loadBalancer.localityLbSetting",
    { failover: [{ from: "eu", to: "us" }], failoverPriority: ["app", "topology.kubernetes.io/zone"] },
    "spec.trafficPolicy.loadBalancer.localityLbSetting.failoverPriority[1]: is a place, which failover is about: keep one of them",
    "fails over by outlierDetection only, of which there is none",
  ],
  [
    "spec.trafficPolicy.proxyProtocol",
    {},
    known("loadBalancer", "connectionPool", "outlierDetection", "tls", "portLevelSettings"),
  ],
  ["spec.subsets", {}, notAList],
  ["spec.subsets[0].name", absent, missing],
  ["spec.subsets[0].name", "a|b", subset],
  ["spec.subsets[0].labels.version", 1, label],
  ["spec.subsets[1].name", "v1", unique("v1")],
];
