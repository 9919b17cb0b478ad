/** What came of objects, by their status: conditions that say that something did not. */
import { warningAt } from "../../../controlplane/config/analysis/warning.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import { listAt, textAt } from "../../../lifecycle/json-path.ts";
import type { KubernetesObject } from "../kubernetes-objects.ts";
import type { AnalyzedMesh } from "./mesh.ts";

const ofRoutes: readonly string[] = ["Accepted", "Programmed", "ResolvedRefs"];
const ofWaypoints: readonly string[] = ["istio.io/WaypointBound"];

/** Conditions whose False is a fault, by the group and kind that have them. */
const conditionsThatCount: Readonly<Record<string, readonly string[]>> = {
  Service: ofWaypoints,
  "networking.istio.io/ServiceEntry": ofWaypoints,
  "networking.istio.io/WorkloadEntry": ofWaypoints,
  "security.istio.io/AuthorizationPolicy": ["ZtunnelAccepted", "WaypointAccepted"],
  "gateway.networking.k8s.io/Gateway": ofRoutes,
  "gateway.networking.k8s.io/HTTPRoute": ofRoutes,
  "gateway.networking.k8s.io/GRPCRoute": ofRoutes,
};

/** True for a kind whose status is looked at. @param apiVersion as an object has it */
export function hasTellingStatus(apiVersion: string, kind: string): boolean {
  return countingOf(apiVersion, kind).length > 0;
}

/** IST0171. */
export function conditionFindings({ kubernetes }: AnalyzedMesh): readonly ConfigProblem[] {
  return kubernetes.flatMap((object): readonly ConfigProblem[] => {
    const counting = countingOf(textAt(object.value, "apiVersion") ?? "", object.kind);
    if (counting.length === 0) return [];
    return conditionsOf(object).flatMap(({ path, condition }): readonly ConfigProblem[] => {
      const [type = "", status, reason = "", said = ""] = ["type", "status", "reason", "message"].map(
        (name) => textAt(condition, name),
      );
      // Of a policy that holds in part the status is True all the same.
      const holdsInPart = type === "WaypointAccepted" && reason === "PartiallyInvalid";
      if (!counting.includes(type) || (status !== "False" && !holdsInPart)) return [];
      const whole = holdsInPart ? "holds in part" : "is False";
      const message = `${type} ${whole} (${reason === "" ? "for no reason that is told" : reason})${said === "" ? "" : `: ${said}`}`;
      return [warningAt(object, path, message, "IST0171")];
    });
  });
}

function countingOf(apiVersion: string, kind: string): readonly string[] {
  const group = apiVersion.includes("/") ? `${apiVersion.split("/", 1)[0] ?? ""}/` : "";
  return conditionsThatCount[`${group}${kind}`] ?? [];
}

/** A route has conditions for each of its parents. */
function conditionsOf({
  value,
}: KubernetesObject): readonly { readonly path: string; readonly condition: unknown }[] {
  const own = listAt(value, "status", "conditions").map((condition, index) => ({
    path: `status.conditions[${index}]`,
    condition,
  }));
  const ofParents = listAt(value, "status", "parents").flatMap((parent, at) =>
    listAt(parent, "conditions").map((condition, index) => ({
      path: `status.parents[${at}].conditions[${index}]`,
      condition,
    })),
  );
  return [...own, ...ofParents];
}
