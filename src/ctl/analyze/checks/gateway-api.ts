/** Istio's objects beside Gateways of the Gateway API: selectors that do not reach these. */
import { warningAt } from "../../../controlplane/config/analysis/warning.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import { type AnalyzedMesh, selects } from "./mesh.ts";

/** The label of pods that a Gateway of the Gateway API has; its value is its name. */
const gatewayLabel = "gateway.networking.k8s.io/gateway-name";

/** IST0166. */
export function gatewayApiFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  const pods = mesh.pods.filter(({ labels }) => labels[gatewayLabel] !== undefined);
  return (["AuthorizationPolicy", "RequestAuthentication", "Telemetry", "WasmPlugin"] as const)
    .flatMap((kind) => [...mesh.ofKind(kind)])
    .flatMap((object): readonly ConfigProblem[] => {
      const labels = object.spec.selector?.matchLabels ?? {};
      const pod = pods.find(
        ({ owner, labels: its }) => owner.namespace === object.namespace && selects(labels, its),
      );
      if (Object.keys(labels).length === 0 || pod === undefined) return [];
      const gateway = pod.labels[gatewayLabel] ?? "";
      const message = `selects pods of the Gateway ${object.namespace}/${gateway} of the Gateway API, which a selector does not reach: name it in targetRefs`;
      return [warningAt(object, "spec.selector", message, "IST0166")];
    });
}
