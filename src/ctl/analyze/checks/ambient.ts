/** Sidecars (the objects) for workloads of the ambient mode, which have none. */
import { warningAt } from "../../../controlplane/config/analysis/warning.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import type { PodTemplate } from "../kubernetes-objects.ts";
import { type AnalyzedMesh, selects } from "./mesh.ts";

const modeLabel = "istio.io/dataplane-mode";

/** IST0167. */
export function ambientFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  const ambient = new Set(
    mesh.kubernetes
      .filter(({ kind, labels }) => kind === "Namespace" && isAmbientNamespace(labels))
      .map(({ name }) => name),
  );
  return mesh.ofKind("Sidecar").flatMap((sidecar): readonly ConfigProblem[] => {
    const labels = sidecar.spec.workloadSelector?.labels ?? {};
    const tell = (path: string, whose: string): readonly ConfigProblem[] => {
      const message = `is for ${whose} of the ambient mode, which has no sidecar: it has no effect. Remove it, or use a waypoint`;
      return [warningAt(sidecar, path, message, "IST0167")];
    };
    if (Object.keys(labels).length === 0)
      return ambient.has(sidecar.namespace) ? tell("spec", `the namespace ${sidecar.namespace}`) : [];
    const pod = mesh.pods.find(
      (each) =>
        each.owner.namespace === sidecar.namespace &&
        selects(labels, each.labels) &&
        isAmbient(each, ambient.has(sidecar.namespace)),
    );
    if (pod === undefined) return [];
    return tell("spec.workloadSelector", `${pod.owner.kind} ${pod.owner.namespace}/${pod.owner.name}`);
  });
}

/** A namespace that asks for sidecars has these. */
function isAmbientNamespace(labels: Readonly<Record<string, string>>): boolean {
  return (
    labels[modeLabel] === "ambient" && labels["istio-injection"] !== "enabled" && !labels["istio.io/rev"]
  );
}

/** What the node's agent says of a pod counts; else what it is to be. */
function isAmbient({ annotations, labels }: PodTemplate, isNamespaceAmbient: boolean): boolean {
  if (annotations["ambient.istio.io/redirection"] === "enabled") return true;
  if (labels["sidecar.istio.io/inject"] === "true") return false;
  return labels[modeLabel] === undefined ? isNamespaceAmbient : labels[modeLabel] === "ambient";
}
