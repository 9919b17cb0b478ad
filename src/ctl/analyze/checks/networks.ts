/** Networks of the mesh whose endpoints are those of a cluster that nobody knows. */
import { parse } from "yaml";
import { warningAt } from "../../../controlplane/config/analysis/warning.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import { at, listAt, textAt } from "../../../lifecycle/json-path.ts";
import type { KubernetesObject } from "../kubernetes-objects.ts";
import type { AnalyzedMesh } from "./mesh.ts";

/** Registries that every istiod has. */
const ownRegistries: readonly string[] = ["Mock", "Kubernetes", "External"];

/** IST0126. */
export function networkFindings({ kubernetes }: AnalyzedMesh): readonly ConfigProblem[] {
  const settings = kubernetes.filter(({ kind, name }) => kind === "ConfigMap" && name === "istio");
  const known = new Set([...ownRegistries, ...kubernetes.flatMap(remoteClusters)]);
  return settings.flatMap((object) =>
    Object.entries(networksOf(object)).flatMap(([name, network]) =>
      listAt(network, "endpoints").flatMap((endpoint): readonly ConfigProblem[] => {
        const registry = textAt(endpoint, "fromRegistry");
        if (registry === undefined || known.has(registry)) return [];
        const message = `network ${name} has its endpoints from ${registry}, which is no cluster that is known: compare it with the Secrets that have the label istio/multiCluster=true (${[...known].join(", ")})`;
        return [warningAt(object, "data.meshNetworks", message, "IST0126")];
      }),
    ),
  );
}

/** Clusters whose kubeconfig a Secret has, each by its key. */
function remoteClusters({ kind, labels, value }: KubernetesObject): readonly string[] {
  if (kind !== "Secret" || labels["istio/multiCluster"] !== "true") return [];
  return ["data", "stringData"].flatMap((field) => Object.keys(at(value, field) ?? {}));
}

function networksOf({ value }: KubernetesObject): object {
  try {
    const networks = at(parse(textAt(value, "data", "meshNetworks") ?? ""), "networks");
    return typeof networks === "object" && networks !== null ? networks : {};
  } catch {
    // What cannot be read names no cluster; its owner tells that.
    return {};
  }
}
