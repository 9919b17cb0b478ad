/** DestinationRules beside services and pods: hosts that are none, subsets that nobody is in. */
import { warningAt } from "../../../controlplane/config/analysis/warning.ts";
import { fullName, isHostNamed } from "../../../controlplane/config/host-names.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import { textsAt } from "../kubernetes-objects.ts";
import { type AnalyzedMesh, clusterServices, type OfKind, selects, type Workload } from "./mesh.ts";

type DestinationRule = OfKind<"DestinationRule">;

/** IST0173, IST0174. */
export function subsetFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  const isService = serviceTest(mesh);
  const selected = workloadsOfServices(mesh);
  return mesh.ofKind("DestinationRule").flatMap((rule) => {
    const host = fullName(rule.spec.host, rule.namespace).toLowerCase();
    return isService(host, rule.namespace)
      ? emptySubsets(rule, host, selected.get(host) ?? [])
      : [warningAt(rule, "spec.host", `${host} is no service: the rule has no effect`, "IST0174")];
  });
}

/** True, too, where so little is known of a namespace that the service may be elsewhere. */
function serviceTest(mesh: AnalyzedMesh): (host: string, namespace: string) => boolean {
  const entries = mesh.ofKind("ServiceEntry");
  const hosts = new Set([
    ...clusterServices(mesh.kubernetes).keys(),
    ...entries.flatMap(({ spec }) => spec.hosts.map((host) => host.toLowerCase())),
  ]);
  const wildcards = [...hosts].filter((host) => host.startsWith("*"));
  const withEntries = new Set(entries.map(({ namespace }) => namespace));
  const withServices = new Set([...hosts].map(namespaceOf).filter((namespace) => namespace !== undefined));
  return (host, namespace) => {
    const local = namespaceOf(host);
    const isKnown = local === undefined ? withEntries.has(namespace) : withServices.has(local);
    if (!isKnown || hosts.has(host) || wildcards.some((wildcard) => isHostNamed(host, wildcard))) return true;
    return host.startsWith("*") && [...hosts].some((known) => isHostNamed(known, host));
  };
}

/** The namespace of `api.demo.svc.cluster.local`. */
function namespaceOf(host: string): string | undefined {
  return /^[^.]+\.([^.]+)\.svc\.cluster\.local$/.exec(host)?.[1];
}

/** Those whose labels a Kubernetes Service or a ServiceEntry selects, by host. */
function workloadsOfServices(mesh: AnalyzedMesh): ReadonlyMap<string, readonly Workload[]> {
  const byNamespace = Map.groupBy(mesh.workloads, ({ namespace }) => namespace);
  const selecting = [
    ...mesh.kubernetes
      .filter(({ kind }) => kind === "Service")
      .map(({ namespace, name, value }) => ({
        namespace,
        hosts: [`${name}.${namespace}.svc.cluster.local`],
        labels: textsAt(value, "spec", "selector"),
      })),
    ...mesh.ofKind("ServiceEntry").map(({ namespace, spec }) => ({
      namespace,
      hosts: spec.hosts.map((host) => host.toLowerCase()),
      labels: spec.workloadSelector?.labels ?? {},
    })),
  ];
  return new Map(
    selecting
      .filter(({ labels }) => Object.keys(labels).length > 0)
      .flatMap(({ namespace, hosts, labels }) => {
        const found = (byNamespace.get(namespace) ?? []).filter((workload) =>
          selects(labels, workload.labels),
        );
        return hosts.map((host) => [host, found] as const);
      }),
  );
}

/** Labels of the node or the cluster that a pod runs in: only there is known which it has. */
const ofPlace = /^(?:topology\.|kubernetes\.io\/hostname$)/;

function emptySubsets(
  rule: DestinationRule,
  host: string,
  workloads: readonly Workload[],
): readonly ConfigProblem[] {
  // Where no workload of the service is known, which subsets there are is not either.
  if (workloads.length === 0) return [];
  return (rule.spec.subsets ?? []).flatMap(({ name, labels = {} }, index): readonly ConfigProblem[] => {
    const own = Object.fromEntries(Object.entries(labels).filter(([key]) => !ofPlace.test(key)));
    if (workloads.some((workload) => selects(own, workload.labels))) return [];
    const words = Object.entries(own).map(([key, value]) => `${key}=${value}`);
    const message = `${name} is of ${words.join(" and ")}, which no workload of ${host} has: what is sent there fails (503)`;
    return [warningAt(rule, `spec.subsets[${index}].labels`, message, "IST0173")];
  });
}
