/** What spans several fields of a DestinationRule. */
import type { DestinationRuleSpec, TrafficPolicySpec } from "../objects.ts";
import { type Complaint, duplicates } from "./complaint.ts";

/** Every broken rule. */
export function destinationRule(spec: DestinationRuleSpec): readonly Complaint[] {
  const subsets = spec.subsets ?? [];
  return [
    ...duplicates(
      subsets.map(({ name }) => name),
      "spec.subsets",
      "name",
    ),
    ...trafficPolicy(spec.trafficPolicy, "spec.trafficPolicy"),
    ...subsets.flatMap((subset, index) =>
      trafficPolicy(subset.trafficPolicy, `spec.subsets[${index}].trafficPolicy`),
    ),
  ];
}

type Policies = Omit<TrafficPolicySpec, "portLevelSettings">;

function trafficPolicy(policy: TrafficPolicySpec | undefined, path: string): readonly Complaint[] {
  if (policy === undefined) return [];
  const ports = policy.portLevelSettings ?? [];
  return [
    ...policies(policy, path),
    ...duplicates(
      ports.map(({ port }) => port.number),
      `${path}.portLevelSettings`,
      "port.number",
    ),
    ...ports.flatMap((settings, index) => policies(settings, `${path}.portLevelSettings[${index}]`)),
  ];
}

const placeLabels: readonly string[] = [
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
  "topology.istio.io/subzone",
];

/** A place that one before it takes for itself, or a part of which it takes. */
function overlaps(
  places: readonly string[],
  pathOf: (index: number, place: string) => string,
): readonly Complaint[] {
  return places.flatMap((place, index): readonly Complaint[] => {
    const other = places
      .slice(0, index)
      .find((before) => isWithin(place, before) || isWithin(before, place, ""));
    if (other === undefined) return [];
    return [[pathOf(index, place), `overlaps with ${other}, which comes before it: leave one of them out`]];
  });
}

function isWithin(place: string, wider: string, all = "*"): boolean {
  const parts = place.split("/");
  return wider.split("/").every((part, index) => part === all || part === parts[index]);
}

/** Either weights or an order, and weights that are all of it. */
function locality({ loadBalancer, outlierDetection }: Policies, path: string): readonly Complaint[] {
  const setting = loadBalancer?.localityLbSetting;
  if (setting === undefined) return [];
  const { distribute = [], failover = [], failoverPriority = [] } = setting;
  const at = `${path}.loadBalancer.localityLbSetting`;
  const complaints: Complaint[] = [];
  if (distribute.length > 0 && failover.length + failoverPriority.length > 0)
    complaints.push([`${at}.distribute`, "and failover exclude each other: keep one of them"]);
  for (const [index, { to }] of distribute.entries()) {
    const sum = Object.values(to).reduce((total, weight) => total + weight, 0);
    if (sum !== 100)
      complaints.push([`${at}.distribute[${index}].to`, `has weights of ${sum} in all: make it 100`]);
    complaints.push(...overlaps(Object.keys(to), (_, place) => `${at}.distribute[${index}].to.${place}`));
  }
  for (const [index, { from, to }] of failover.entries())
    if (from === to) complaints.push([`${at}.failover[${index}].to`, `is ${from}, which is what fails`]);
  for (const [index, label] of failoverPriority.entries())
    if (failover.length > 0 && placeLabels.includes(label))
      complaints.push([
        `${at}.failoverPriority[${index}]`,
        "is a place, which failover is about: keep one of them",
      ]);
  if (failover.length + failoverPriority.length > 0 && outlierDetection === undefined)
    complaints.push([at, "fails over by outlierDetection only, of which there is none", "warning"]);
  return [
    ...complaints,
    ...overlaps(
      distribute.map(({ from }) => from),
      (index) => `${at}.distribute[${index}].from`,
    ),
    ...duplicates(
      failover.map(({ from }) => from),
      `${at}.failover`,
      "from",
    ),
  ];
}

function policies(all: Policies, path: string): readonly Complaint[] {
  const { loadBalancer, tls } = all;
  const complaints: Complaint[] = [...locality(all, path)];
  const hash = loadBalancer?.consistentHash;
  if (hash !== undefined) {
    const at = `${path}.loadBalancer.consistentHash`;
    if (loadBalancer?.simple !== undefined)
      complaints.push([
        `${path}.loadBalancer.simple`,
        "and consistentHash exclude each other: keep one of them",
      ]);
    const keys = [
      hash.httpHeaderName,
      hash.httpCookie,
      hash.useSourceIp === true || undefined,
      hash.httpQueryParameterName,
    ];
    if (keys.filter((key) => key !== undefined).length !== 1) {
      const names = "httpHeaderName, httpCookie, useSourceIp and httpQueryParameterName";
      complaints.push([at, `needs exactly one of ${names}`]);
    }
    if (hash.maglev !== undefined && (hash.ringHash !== undefined || hash.minimumRingSize !== undefined))
      complaints.push([`${at}.maglev`, "and a ring exclude each other: keep one of them"]);
    const size = hash.maglev?.tableSize;
    if (size !== undefined && !isPrime(size))
      complaints.push([`${at}.maglev.tableSize`, `${size} is not a prime number, which Envoy needs`]);
  }
  const { splitExternalLocalOriginErrors: splits, consecutiveLocalOriginFailures: failures = 0 } =
    all.outlierDetection ?? {};
  if (failures > 0 && splits !== true)
    complaints.push([
      `${path}.outlierDetection.consecutiveLocalOriginFailures`,
      "is counted with splitExternalLocalOriginErrors only: set that to true",
    ]);
  const http = all.connectionPool?.http;
  if (http?.h2UpgradePolicy === "UPGRADE" && http.useClientProtocol === true)
    complaints.push([
      `${path}.connectionPool.http.useClientProtocol`,
      "and h2UpgradePolicy UPGRADE exclude each other: keep one of them",
    ]);
  if (tls?.mode === "MUTUAL" && (tls.clientCertificate === undefined || tls.privateKey === undefined))
    complaints.push([`${path}.tls.mode`, "MUTUAL needs clientCertificate and privateKey"]);
  return complaints;
}

function isPrime(value: number): boolean {
  for (let divisor = 2; divisor * divisor <= value; divisor += 1) if (value % divisor === 0) return false;
  return value > 1;
}
