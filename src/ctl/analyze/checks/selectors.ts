/** Objects that select workloads: nobody, or those that another has already. */
import { rootNamespace } from "../../../controlplane/config/analysis/analyze.ts";
import { placeOf, warningAt } from "../../../controlplane/config/analysis/warning.ts";
import type { ConfigObject } from "../../../controlplane/config/objects.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import { type AnalyzedMesh, selects, type Workload } from "./mesh.ts";

interface Selector {
  readonly object: ConfigObject;
  readonly path: string;
  readonly labels: Readonly<Record<string, string>>;
  /** For a second one of the same workload; undefined where several are for one. */
  readonly code: string | undefined;
}

/** IST0110, IST0127, IST0159. */
export function selectorFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  const byNamespace = Map.groupBy(mesh.workloads, ({ namespace }) => namespace);
  const taken = new Map<string, ConfigObject>();
  return selectors(mesh).flatMap((selector): readonly ConfigProblem[] => {
    const { object, path, labels, code } = selector;
    const isForAll = object.namespace === rootNamespace && code === undefined;
    const near = isForAll ? mesh.workloads : (byNamespace.get(object.namespace) ?? []);
    // Where no workload is known, which there are is not either.
    if (near.length === 0) return [];
    const selected = near.filter((workload) => selects(labels, workload.labels));
    if (selected.length === 0) {
      const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
      const message = `no workload has ${words.join(" and ")}: it has no effect. Compare it with their labels`;
      return [warningAt(object, path, message, "IST0127")];
    }
    return code === undefined ? [] : secondOf(selector, selected, taken, code);
  });
}

function secondOf(
  { object, path }: Selector,
  selected: readonly Workload[],
  taken: Map<string, ConfigObject>,
  code: string,
): readonly ConfigProblem[] {
  const shared = selected.find(({ name }) => taken.has(`${object.kind} ${name}`));
  const older = shared === undefined ? undefined : taken.get(`${object.kind} ${shared.name}`);
  for (const { name } of selected)
    if (!taken.has(`${object.kind} ${name}`)) taken.set(`${object.kind} ${name}`, object);
  if (shared === undefined || older === undefined) return [];
  const message = `selects ${shared.name}, which ${placeOf(older)} has: make one of both, or tell their labels apart`;
  return [warningAt(object, path, message, code)];
}

function selectors(mesh: AnalyzedMesh): readonly Selector[] {
  const ofPolicies = (
    ["AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication", "Telemetry"] as const
  )
    .flatMap((kind) => [...mesh.ofKind(kind)])
    .map((object) => ({
      object,
      path: "spec.selector",
      labels: object.spec.selector?.matchLabels ?? {},
      code: object.kind === "Telemetry" ? "IST0159" : undefined,
    }));
  const ofSidecars = mesh.ofKind("Sidecar").map((object) => ({
    ...{ object, path: "spec.workloadSelector", code: "IST0110" },
    labels: object.spec.workloadSelector?.labels ?? {},
  }));
  const ofGateways = mesh.ofKind("Gateway").flatMap((object) => {
    const labels = object.spec.selector ?? {};
    // A gateway may be in a namespace of its own.
    const isNear = mesh.workloads.some((workload) => selects(labels, workload.labels));
    return isNear ? [] : [{ object, path: "spec.selector", labels, code: undefined }];
  });
  return [...ofPolicies, ...ofSidecars, ...ofGateways].filter(({ labels }) => Object.keys(labels).length > 0);
}
