/**
 * Which DestinationRules count for a service, and what they come to for one of its ports and subsets.
 */
import type { DestinationRuleSpec, TrafficPolicySpec } from "../config/objects.ts";
import {
  isExportedTo,
  type Model,
  type Scoped,
  selects,
  type Service,
  type ServicePort,
} from "../model/model.ts";
import { byNamespace } from "../model/by-namespace.ts";
import type { Caller } from "../model/caller.ts";
import type { TranslationMemo } from "./translation-memo.ts";
import { isHostNamed } from "../config/host-names.ts";

/** The rules of one namespace for one host, as one. */
export interface AppliedRule {
  /** The oldest of them. */
  readonly name: string;
  readonly namespace: string;
  readonly trafficPolicy: TrafficPolicySpec | undefined;
  readonly subsets: readonly Subset[];
}

/** A subset of a service. */
export type Subset = NonNullable<DestinationRuleSpec["subsets"]>[number];

/** What counts for one port and subset. */
export type Policies = Omit<TrafficPolicySpec, "portLevelSettings">;

type Rule = Scoped<DestinationRuleSpec>;

/**
 * Finds the rules as a proxy sees them: those of its own namespace come before those of the service's, and these
 * before those of the root namespace. In each, the host that is named most closely counts.
 */
export function ruleFinder(
  { destinationRules, settings }: Pick<Model, "destinationRules" | "settings">,
  proxy: Caller,
  memo: Pick<TranslationMemo, "rules">,
): (service: Service) => AppliedRule | undefined {
  const all = byNamespace(destinationRules);
  const isSeen = ({ namespace, spec }: Rule): boolean => {
    const labels = spec.workloadSelector?.matchLabels ?? {};
    const isForAll = Object.keys(labels).length === 0;
    if (!isForAll && (namespace !== proxy.namespace || !selects(labels, proxy.labels))) return false;
    return namespace === proxy.namespace || isExportedTo(spec.exportTo, namespace, proxy.namespace);
  };
  const indexes = new Map<string, RuleIndex>();
  const indexIn = (namespace: string): RuleIndex => {
    const known = indexes.get(namespace);
    if (known !== undefined) return known;
    const rules = all.of(namespace).filter(isSeen);
    const made = rules.length === 0 ? none : indexOf(rules);
    indexes.set(namespace, made);
    return made;
  };
  const [own, root] = [indexIn(proxy.namespace), indexIn(settings.rootNamespace)];
  return ({ host, namespace }) => {
    const rules = own(host) ?? indexIn(namespace)(host) ?? root(host);
    if (rules === undefined) return undefined;
    const [first, ...others] = rules;
    return first && memo.rules.get([first, ...others], () => merged([first, ...others]));
  };
}

/** Finds rules by the host that they name. */
type RuleIndex = (host: string) => readonly Rule[] | undefined;

const none: RuleIndex = () => undefined;

/** Rules of one namespace by what they name: a host, or all that end in something, the longest first. */
function indexOf(rules: readonly Rule[]): RuleIndex {
  const byHost = Map.groupBy(rules, ({ spec }) => spec.host.toLowerCase());
  const wildcards = [...byHost.keys()]
    .filter((host) => host.startsWith("*"))
    .toSorted((a, b) => b.length - a.length);
  return (host) => {
    const name = host.toLowerCase();
    const exact = byHost.get(name);
    if (exact !== undefined) return exact;
    const wildcard = wildcards.find((pattern) => isHostNamed(name, pattern));
    return wildcard === undefined ? undefined : byHost.get(wildcard);
  };
}

/** Those that select the workload count alone. Of two subsets with one name, and two policies, the older one stays. */
function merged(rules: readonly [Rule, ...Rule[]]): AppliedRule {
  const selecting = rules.filter(
    ({ spec }) => Object.keys(spec.workloadSelector?.matchLabels ?? {}).length > 0,
  );
  const counting = selecting.length > 0 ? selecting : rules;
  const [first = rules[0]] = counting;
  const subsets = new Map<string, Subset>();
  for (const subset of counting.flatMap(({ spec }) => spec.subsets ?? []))
    if (!subsets.has(subset.name)) subsets.set(subset.name, subset);
  const { name, namespace } = first;
  const trafficPolicy = counting.map(({ spec }) => spec.trafficPolicy).find((policy) => policy !== undefined);
  return { name, namespace, trafficPolicy, subsets: [...subsets.values()] };
}

/** The policies of a port and subset: a subset's over the rule's, field by field, and in both the port's own. */
export function policiesOf(rule: AppliedRule | undefined, subset: string, port: ServicePort): Policies {
  const own = rule?.subsets.find(({ name }) => name === subset)?.trafficPolicy;
  return { ...forPort(rule?.trafficPolicy, port), ...forPort(own, port) };
}

/** What is said for a port inherits nothing from what is said for all. */
function forPort(policy: TrafficPolicySpec | undefined, { number }: ServicePort): Policies {
  if (policy === undefined) return {};
  const { portLevelSettings = [], ...all } = policy;
  const own = portLevelSettings.find(({ port }) => port.number === number);
  if (own === undefined) return all;
  const { port: _port, ...settings } = own;
  return {
    loadBalancer: undefined,
    connectionPool: undefined,
    outlierDetection: undefined,
    tls: undefined,
    ...settings,
  };
}
