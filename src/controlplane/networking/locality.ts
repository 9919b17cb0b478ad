/**
 * Which endpoints come first for a caller, by where both are: localities with their priorities and weights, as Istio
 * makes them of a DestinationRule's `localityLbSetting`.
 */
import type { LocalitySettingSpec } from "../config/objects.ts";
import type { Caller } from "../model/caller.ts";
import type { Endpoint } from "../model/model.ts";
import type { AppliedRule } from "./destination-rules.ts";
import type { Policies } from "./destination-rules.ts";

/** What counts of a caller. */
export type CallerPlace = Pick<Caller, "locality" | "labels">;

/** Endpoints of one locality that are called alike. */
export interface PlacedEndpoints {
  /** `region/zone/subzone`. */
  readonly locality: string;
  readonly endpoints: readonly Endpoint[];
  /** 0 comes first. */
  readonly priority: number;
  /** Of the whole locality; the sum of its endpoints' unless the rule says it. */
  readonly weight?: number;
}

/** True for a rule by which callers are given endpoints by their places. */
export function asksForPlace(rule: AppliedRule | undefined): boolean {
  if (rule === undefined) return false;
  const all = [rule.trafficPolicy, ...rule.subsets.map(({ trafficPolicy }) => trafficPolicy)];
  return all
    .flatMap((policy) => [policy, ...(policy?.portLevelSettings ?? [])])
    .some(
      (policy) =>
        policy?.outlierDetection !== undefined || policy?.loadBalancer?.localityLbSetting !== undefined,
    );
}

/** Without outlier detection no endpoint is ever found to fail, and nothing fails over. */
export function placed(
  endpoints: readonly Endpoint[],
  { loadBalancer, outlierDetection }: Pick<Policies, "loadBalancer" | "outlierDetection">,
  caller: CallerPlace,
): readonly PlacedEndpoints[] {
  const groups = [...Map.groupBy(endpoints, ({ locality }) => locality)].map(
    ([locality, own]): PlacedEndpoints => ({ locality, endpoints: own, priority: 0 }),
  );
  const setting = loadBalancer?.localityLbSetting;
  if (setting?.enabled === false) return groups;
  const { distribute = [], failover = [], failoverPriority = [] } = setting ?? {};
  if (distribute.length > 0) return distributed(groups, distribute, caller.locality);
  if (outlierDetection === undefined) return groups;
  if (failoverPriority.length === 0)
    return inOrder(groups.map((group) => failedOver(group, failover, caller)));
  const byLabels = inOrder(groups.flatMap((group) => byPriorityLabels(group, failoverPriority, caller)));
  return failover.length === 0
    ? byLabels
    : inOrder(byLabels.map((group) => failedOver(group, failover, caller)));
}

type Distribution = NonNullable<LocalitySettingSpec["distribute"]>;

/** The first entry for the caller's locality decides; a locality that it does not name gets nothing. */
function distributed(
  groups: readonly PlacedEndpoints[],
  distribute: Distribution,
  locality: string,
): readonly PlacedEndpoints[] {
  const entry = distribute.find(({ from }) => isWithin(locality, from ?? ""));
  if (entry === undefined) return groups;
  let left = groups;
  const weighted = Object.entries(entry.to ?? {}).flatMap(([to, weight]): readonly PlacedEndpoints[] => {
    const own = left.filter((group) => isWithin(group.locality, to));
    left = left.filter((group) => !own.includes(group));
    // What several localities share is divided among them by what each has of itself.
    const all = own.reduce((sum, group) => sum + ownWeight(group), 0);
    return own.map((group) => ({ ...group, weight: Math.ceil((weight * ownWeight(group)) / all) }));
  });
  const at = ({ locality: where }: PlacedEndpoints): number =>
    groups.findIndex((group) => group.locality === where);
  return weighted.toSorted((a, b) => at(a) - at(b));
}

function ownWeight({ endpoints }: PlacedEndpoints): number {
  return endpoints.reduce((sum, { weight }) => sum + Math.max(1, weight), 0);
}

/** Parts of a place that are not said, and `*`, stand for all. */
function isWithin(locality: string, pattern: string): boolean {
  const parts = locality.split("/");
  return pattern.split("/").every((wanted, index) => ["", "*", parts[index] ?? ""].includes(wanted));
}

const priorities = 5;

/** The nearer the earlier: the same subzone, zone, region, what the region fails over to, the rest. */
function failedOver(
  group: PlacedEndpoints,
  failover: NonNullable<LocalitySettingSpec["failover"]>,
  { locality }: CallerPlace,
): PlacedEndpoints {
  const [own, other] = [partsOf(locality), partsOf(group.locality)];
  const same = own.findIndex((part, index) => part !== other[index]);
  const distance = same < 0 ? 0 : own.length - same;
  const [region] = own;
  const entry = distance === own.length ? failover.find(({ from }) => from === region) : undefined;
  const isElsewhere = entry !== undefined && entry.to !== other[0];
  return { ...group, priority: group.priority * priorities + (isElsewhere ? distance + 1 : distance) };
}

function partsOf(locality: string): readonly [string, string, string] {
  const [region = "", zone = "", subzone = ""] = locality.split("/");
  return [region, zone, subzone];
}

/** The more of the labels, in their order, an endpoint has in common with the caller, the earlier. */
function byPriorityLabels(
  { locality, endpoints }: PlacedEndpoints,
  failoverPriority: readonly string[],
  caller: CallerPlace,
): readonly PlacedEndpoints[] {
  const own = withPlace(caller.labels, caller.locality);
  const wanted = failoverPriority.map((entry): readonly [string, string] => {
    const [key = "", value] = entry.split("=");
    return [key, value ?? own[key] ?? ""];
  });
  const priorityOf = (endpoint: Endpoint): number => {
    const labels = withPlace(endpoint.labels, endpoint.locality);
    const differs = wanted.findIndex(([key, value]) => (labels[key] ?? "") !== value);
    return differs < 0 ? 0 : wanted.length - differs;
  };
  return [...Map.groupBy(endpoints, priorityOf)].map(([priority, alike]) => ({
    locality,
    endpoints: alike,
    priority,
  }));
}

/** A place as labels of Kubernetes. */
function withPlace(
  labels: Readonly<Record<string, string>>,
  locality: string,
): Readonly<Record<string, string | undefined>> {
  const [region, zone, subzone] = partsOf(locality);
  return {
    "topology.kubernetes.io/region": region,
    "topology.kubernetes.io/zone": zone,
    "topology.istio.io/subzone": subzone,
    ...labels,
  };
}

/** Envoy wants priorities without gaps. */
function inOrder(groups: readonly PlacedEndpoints[]): readonly PlacedEndpoints[] {
  const used = [...new Set(groups.map(({ priority }) => priority))].toSorted((a, b) => a - b);
  return groups.map((group) => ({ ...group, priority: used.indexOf(group.priority) }));
}
