/** VirtualServices and DestinationRules that an older one leaves nothing to do, and names in them that nothing has. */
import { delegatedRoutes } from "../delegates.ts";
import { fullName } from "../host-names.ts";
import type { ConfigObject, Destination } from "../objects.ts";
import type { ConfigProblem } from "../problem.ts";
import { isSeenIn, placeOf, warningAt, whereBothAre } from "./warning.ts";

type VirtualService = Extract<ConfigObject, { kind: "VirtualService" }>;
type DestinationRule = Extract<ConfigObject, { kind: "DestinationRule" }>;

/** @param rules the oldest first, in every one of these lists */
export function ruleWarnings(
  rules: readonly VirtualService[],
  destinations: readonly DestinationRule[],
  hosts: readonly string[],
): readonly ConfigProblem[] {
  return [
    ...routesTwice(rules),
    ...delegations(rules),
    ...policiesTwice(destinations),
    ...missing(rules, destinations, hosts),
  ];
}

/** Delegates that are not there, that nobody delegates to, and routes of theirs that are never taken. */
function delegations(rules: readonly VirtualService[]): readonly ConfigProblem[] {
  const byName = new Map(
    rules
      .filter(({ spec }) => spec.hosts.length === 0)
      .map((rule) => [`${rule.namespace}/${rule.name}`, rule]),
  );
  const used = new Set<string>();
  const ofRoots = rules.flatMap((root) =>
    (root.spec.http ?? []).flatMap((route, index): readonly ConfigProblem[] => {
      if (route.delegate === undefined) return [];
      const name = `${route.delegate.namespace ?? root.namespace}/${route.delegate.name}`;
      const path = `spec.http[${index}].delegate`;
      const found = byName.get(name);
      if (found === undefined)
        return [
          warningAt(
            root,
            path,
            `${name} is no VirtualService without hosts: nothing is routed by it`,
            "IST0101",
          ),
        ];
      used.add(name);
      if (!isSeenIn(found, root.namespace))
        return [warningAt(root, path, `${name} (${placeOf(found)}) is not exported to ${root.namespace}`)];
      return delegatedRoutes(route, found.spec.http ?? []).excluded.map((at) =>
        warningAt(
          found,
          `spec.http[${at}].match`,
          `is not within what ${placeOf(root)} asks for, which delegates to it: this route is never taken there`,
        ),
      );
    }),
  );
  const unused = [...byName].flatMap(([name, rule]) =>
    used.has(name)
      ? []
      : [
          warningAt(
            rule,
            "spec.hosts",
            "is empty, and no VirtualService delegates to this one: it has no effect",
          ),
        ],
  );
  return [...ofRoots, ...unused];
}

function routesTwice(rules: readonly VirtualService[]): readonly ConfigProblem[] {
  const first = new Map<string, VirtualService>();
  return rules.flatMap((rule) => {
    const { hosts, gateways = ["mesh"] } = rule.spec;
    if (!gateways.includes("mesh")) return [];
    return hosts.flatMap((host, index) => {
      const name = fullName(host, rule.namespace).toLowerCase();
      const older = first.get(name);
      if (older === undefined) first.set(name, rule);
      const where = older === undefined || older === rule ? undefined : whereBothAre(older, rule);
      if (older === undefined || where === undefined) return [];
      const message = `${name} has the rule of ${placeOf(older)} already, which is older: this one has no effect${where}`;
      return [warningAt(rule, `spec.hosts[${index}]`, message, "IST0109")];
    });
  });
}

function policiesTwice(rules: readonly DestinationRule[]): readonly ConfigProblem[] {
  const first = new Map<string, DestinationRule>();
  const subsets = new Map<string, DestinationRule>();
  return rules.flatMap((rule) => {
    const { host, workloadSelector, trafficPolicy } = rule.spec;
    if (Object.keys(workloadSelector?.matchLabels ?? {}).length > 0) return [];
    const name = `${rule.namespace} ${fullName(host, rule.namespace).toLowerCase()}`;
    const older = trafficPolicy === undefined ? undefined : first.get(name);
    if (trafficPolicy !== undefined && older === undefined) first.set(name, rule);
    const policy =
      older === undefined
        ? []
        : [
            warningAt(
              rule,
              "spec.trafficPolicy",
              `of ${placeOf(older)} counts for ${host}, which is older: this one has no effect`,
            ),
          ];
    const twice = (rule.spec.subsets ?? []).flatMap((subset, index) => {
      const key = `${name} ${subset.name}`;
      const has = subsets.get(key);
      if (has === undefined) subsets.set(key, rule);
      return has === undefined
        ? []
        : [
            warningAt(
              rule,
              `spec.subsets[${index}].name`,
              `${subset.name} of ${placeOf(has)} counts, which is older: this one has no effect`,
            ),
          ];
    });
    return [...policy, ...twice];
  });
}

/** What a route leads to and is not there: requests get 503. */
function missing(
  rules: readonly VirtualService[],
  destinations: readonly DestinationRule[],
  hosts: readonly string[],
): readonly ConfigProblem[] {
  const services = new Set(hosts.map((host) => host.toLowerCase().replace(/\.$/, "")));
  const subsets = new Set(
    destinations.flatMap(({ namespace, spec }) =>
      (spec.subsets ?? []).map(({ name }) => `${fullName(spec.host, namespace).toLowerCase()} ${name}`),
    ),
  );
  const wildcards = destinations.filter(({ spec }) => spec.host.startsWith("*"));
  return rules.flatMap((rule) =>
    destinationsOf(rule).flatMap(([path, { host, subset }]) => {
      const name = fullName(host, rule.namespace).toLowerCase();
      if (!services.has(name))
        return [
          warningAt(rule, `${path}.host`, `${name} is no service: what is sent there fails (503)`, "IST0101"),
        ];
      const isThere =
        subset === undefined ||
        subsets.has(`${name} ${subset}`) ||
        wildcards.some(({ spec }) => spec.subsets?.some((each) => each.name === subset) === true);
      if (isThere) return [];
      const message = `${subset} of ${name} is in no DestinationRule: what is sent there fails (503)`;
      return [warningAt(rule, `${path}.subset`, message, "IST0101")];
    }),
  );
}

function destinationsOf({
  spec,
}: VirtualService): readonly (readonly [path: string, destination: Destination])[] {
  const { http = [], tcp = [], tls = [] } = spec;
  const routes = { http, tcp, tls };
  return [
    ...Object.entries(routes).flatMap(([kind, list]) =>
      list.flatMap(({ route = [] }, index) =>
        route.map(
          ({ destination }, at) => [`spec.${kind}[${index}].route[${at}].destination`, destination] as const,
        ),
      ),
    ),
    ...http.flatMap(({ mirror, mirrors = [] }, index) => [
      ...(mirror === undefined ? [] : [[`spec.http[${index}].mirror`, mirror] as const]),
      ...mirrors.map(
        ({ destination }, at) => [`spec.http[${index}].mirrors[${at}].destination`, destination] as const,
      ),
    ]),
  ];
}
