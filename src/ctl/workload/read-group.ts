/**
 * The WorkloadGroup of a machine, with what an annotation of it lays over the mesh's proxy configuration.
 */
import type { WorkloadGroupSpec } from "../../controlplane/config/objects.ts";
import { parseDocuments } from "../../controlplane/config/parse-documents.ts";
import { describeConfigProblem } from "../../controlplane/config/problem.ts";
import { configurationLimits } from "../../document/limits.ts";
import { isMapping } from "../../document/mapping.ts";
import { readYaml } from "../../document/yaml.ts";

/** The group, and what it says of its proxies. */
export interface WorkloadGroup {
  readonly name: string;
  readonly namespace: string;
  readonly spec: WorkloadGroupSpec;
  /** ProxyConfig of the annotation `proxy.istio.io/config`. */
  readonly overlay: Readonly<Record<string, unknown>>;
}

const proxyConfigAnnotation = "proxy.istio.io/config";

/** The one of a text; or every reason why there is none. */
export function readGroup(source: string, text: string): WorkloadGroup | readonly string[] {
  const { objects, problems } = parseDocuments(source, text);
  const errors = problems.filter(({ severity }) => severity === undefined);
  if (errors.length > 0) return errors.map(describeConfigProblem);
  const groups = objects.filter((object) => object.kind === "WorkloadGroup");
  const [group] = groups;
  if (group === undefined || groups.length > 1)
    return [`${source}: holds ${groups.length} WorkloadGroups: it has to be the one of the machine`];
  return withOverlay(source, group);
}

/** What the object of a folder comes to. */
export function withOverlay(
  source: string,
  { name, namespace, spec }: Omit<WorkloadGroup, "overlay">,
): WorkloadGroup | readonly string[] {
  const annotation = spec.metadata?.annotations?.[proxyConfigAnnotation];
  if (annotation === undefined) return { name, namespace, spec, overlay: {} };
  const read = readYaml(annotation, configurationLimits);
  if (read.kind === "read" && isMapping(read.value)) return { name, namespace, spec, overlay: read.value };
  const reason = read.kind === "refused" ? read.faults[0]?.message : "is no mapping";
  return [`${source}: spec.metadata.annotations.${proxyConfigAnnotation}: ${reason ?? "cannot be read"}`];
}
