/** VirtualServices: ports that are left open, matches that come twice, hosts that no Gateway has. */
import { fullName, gatewayName, isCovered, meshGateway } from "../../../controlplane/config/host-names.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import { placeOf, warningAt } from "../../../controlplane/config/analysis/warning.ts";
import { type AnalyzedMesh, clusterServices, type OfKind } from "./mesh.ts";

type VirtualService = OfKind<"VirtualService">;
type Gateway = OfKind<"Gateway">;

/** IST0002, IST0112, IST0130, IST0131, IST0132. */
export function virtualServiceFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  const ports = portsByHost(mesh);
  const gateways = new Map(
    mesh.ofKind("Gateway").map((gateway) => [`${gateway.namespace}/${gateway.name}`, gateway]),
  );
  return mesh
    .ofKind("VirtualService")
    .flatMap((rule) => [
      ...openPorts(rule, ports),
      ...matchesTwice(rule),
      ...deprecated(rule),
      ...hostsWithoutGateway(rule, gateways),
    ]);
}

function portsByHost(mesh: AnalyzedMesh): ReadonlyMap<string, ReadonlySet<number>> {
  const ports = new Map<string, Set<number>>();
  for (const [host, numbers] of clusterServices(mesh.kubernetes)) ports.set(host, new Set(numbers));
  for (const { spec } of mesh.ofKind("ServiceEntry"))
    for (const host of spec.hosts) {
      const key = host.toLowerCase();
      const there = ports.get(key) ?? new Set();
      for (const { number } of spec.ports) there.add(number);
      ports.set(key, there);
    }
  return ports;
}

function openPorts(
  rule: VirtualService,
  ports: ReadonlyMap<string, ReadonlySet<number>>,
): readonly ConfigProblem[] {
  const { http = [], tcp = [], tls = [] } = rule.spec;
  return Object.entries({ http, tcp, tls }).flatMap(([kind, routes]) =>
    routes.flatMap(({ route = [] }, index) =>
      route.flatMap(({ destination: { host, port } }, at): readonly ConfigProblem[] => {
        const name = fullName(host, rule.namespace).toLowerCase();
        const all = port === undefined ? (ports.get(name) ?? new Set()) : new Set();
        if (all.size < 2) return [];
        const path = `spec.${kind}[${index}].route[${at}].destination.port`;
        const message = `is missing, and ${name} has several: say which of ${[...all].join(", ")}`;
        return [warningAt(rule, path, message, "IST0112")];
      }),
    ),
  );
}

function deprecated(rule: VirtualService): readonly ConfigProblem[] {
  return (rule.spec.http ?? []).flatMap(({ fault }, index): readonly ConfigProblem[] => {
    if (fault?.delay?.percent === undefined) return [];
    const path = `spec.http[${index}].fault.delay.percent`;
    return [warningAt(rule, path, "is deprecated: write percentage", "IST0002")];
  });
}

function matchesTwice(rule: VirtualService): readonly ConfigProblem[] {
  const seen = new Map<string, number>();
  return (rule.spec.http ?? []).flatMap(({ match = [] }, index): readonly ConfigProblem[] => {
    const keys = match.map(({ name: _name, ...conditions }) => JSON.stringify(sorted(conditions)));
    const twice = keys.flatMap((key, at) => {
      const before = seen.get(key);
      return before === undefined ? [] : [{ at, before }];
    });
    for (const key of keys) if (!seen.has(key)) seen.set(key, index);
    const [first] = twice;
    if (first !== undefined && twice.length === match.length) {
      const message = `is never reached: http[${first.before}] asks for the same before it. Remove one of them, or tell them apart`;
      return [warningAt(rule, `spec.http[${index}]`, message, "IST0130")];
    }
    return twice.map(({ at, before }) =>
      warningAt(
        rule,
        `spec.http[${index}].match[${at}]`,
        `is never asked: http[${before}] has the same. Remove it here or there`,
        "IST0131",
      ),
    );
  });
}

/** The same value with its fields in one order. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}

function hostsWithoutGateway(
  rule: VirtualService,
  gateways: ReadonlyMap<string, Gateway>,
): readonly ConfigProblem[] {
  return (rule.spec.gateways ?? []).flatMap((written) => {
    const name = gatewayName(written, rule.namespace);
    const gateway = name === meshGateway ? undefined : gateways.get(name);
    if (gateway === undefined) return [];
    return rule.spec.hosts.flatMap((host, index): readonly ConfigProblem[] => {
      if (gateway.spec.servers.some(({ hosts }) => hosts.some((each) => takes(gateway, each, rule, host))))
        return [];
      const message = `${host} is no host of the Gateway ${name} (${placeOf(gateway)}): add it to one of its servers, or nothing is routed there`;
      return [warningAt(rule, `spec.hosts[${index}]`, message, "IST0132")];
    });
  });
}

/** @param written a host of a server: `namespace/host`, or a host alone */
function takes(gateway: Gateway, written: string, { namespace }: VirtualService, host: string): boolean {
  const [pattern = "", from = "*"] = written.split("/").toReversed();
  if (from !== "*" && (from === "." ? gateway.namespace : from) !== namespace) return false;
  const [wanted, name] = [pattern, fullName(host, namespace)].map((each) => each.toLowerCase());
  if (wanted === undefined || name === undefined) return false;
  return isCovered(name, wanted) || isCovered(wanted, name) || wanted === host.toLowerCase();
}
