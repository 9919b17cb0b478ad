/** Services of one name in several clusters, which a mesh takes for one: what differs among them. */
import { isDeepStrictEqual } from "node:util";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import { mappingOf, mappingsOf } from "../../../controlplane/kubernetes/resource.ts";
import { listAt, textAt } from "../../../lifecycle/json-path.ts";

/** One of the clusters. */
export interface ClusterServices {
  /** As messages call it. */
  readonly cluster: string;
  /** By their names: `demo/api`. */
  readonly services: ReadonlyMap<string, unknown>;
}

/** IST0170. @param sourceOf the place of a Service, by its name */
export function multiClusterFindings(
  clusters: readonly ClusterServices[],
  sourceOf: (name: string) => string,
): readonly ConfigProblem[] {
  const names = new Set(clusters.flatMap(({ services }) => [...services.keys()]));
  return [...names].flatMap((name): readonly ConfigProblem[] => {
    const places = clusters.flatMap(({ cluster, services }) => {
      const service = services.get(name);
      return service === undefined ? [] : [{ cluster, service }];
    });
    const differing = aspects.flatMap(({ path, valueOf, words }) => {
      const values = places.map(({ service }) => valueOf(service));
      if (values.every((value) => isDeepStrictEqual(value, values[0]))) return [];
      const said = places.map(({ cluster, service }) => `${words(service)} in ${cluster}`).join(", ");
      return [{ path, said }];
    });
    return differing.map(({ path, said }) => ({
      ...{ source: sourceOf(name), line: 1, path, severity: "warning", code: "IST0170" },
      message: `differs between clusters, and the mesh takes them for one service: ${said}. Make it the same in each`,
    }));
  });
}

/** What has to be the same everywhere. */
interface Aspect {
  readonly path: string;
  readonly valueOf: (service: unknown) => unknown;
  readonly words: (service: unknown) => string;
}

const aspects: readonly Aspect[] = [
  {
    path: "spec.clusterIP",
    valueOf: isHeadless,
    words: (service) => (isHeadless(service) ? "None" : "an address"),
  },
  { path: "spec.type", valueOf: typeOf, words: typeOf },
  { path: "spec.ports", valueOf: portsOf, words: portWords },
];

function isHeadless(service: unknown): boolean {
  return textAt(service, "spec", "clusterIP") === "None";
}

function typeOf(service: unknown): string {
  return textAt(service, "spec", "type") ?? "ClusterIP";
}

/** Whatever their order; those of nodes are each cluster's own. */
function portsOf(service: unknown): readonly object[] {
  return mappingsOf(listAt(service, "spec", "ports"))
    .map(({ nodePort: _own, ...port }) => mappingOf(port))
    .toSorted((a, b) => (JSON.stringify(a["port"]) < JSON.stringify(b["port"]) ? -1 : 1));
}

function portWords(service: unknown): string {
  const words = mappingsOf(portsOf(service)).map(({ name, port, protocol, targetPort, appProtocol }) =>
    [name, port, targetPort, protocol, appProtocol]
      .filter((each) => typeof each === "string" || typeof each === "number")
      .join(" "),
  );
  return words.length === 0 ? "none" : `[${words.join("; ")}]`;
}
