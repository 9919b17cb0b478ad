/**
 * What a text holds beside Istio's own objects, as plain values: pods, services, namespaces and what else Istio's
 * analysis looks at. Pure.
 */
import { isMap, isSeq, type Document, type Node, type Scalar, type YAMLMap, type YAMLSeq } from "yaml";
import { podTemplatePaths } from "../../controlplane/inject/workload.ts";
import { objectsLimits } from "../../document/limits.ts";
import { readYamlDocuments } from "../../document/yaml.ts";
import { at, listAt, textAt } from "../../lifecycle/json-path.ts";

/** An object of a cluster. */
export interface KubernetesObject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly value: unknown;
  readonly source: string;
  readonly line: number;
}

/** Pods, as an object has them or makes them. */
export interface PodTemplate {
  readonly owner: KubernetesObject;
  /** Where it is in its owner: empty for a Pod. */
  readonly path: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: unknown;
}

/** Most folders hold Istio's objects alone: they are not read twice. */
const isWorthReading =
  /annotations|@request\.auth\.claims|\b(?:Namespace|Pod|Deployment|StatefulSet|DaemonSet|ReplicaSet|Job|CronJob|Service|ConfigMap|CustomResourceDefinition|\w+WebhookConfiguration)\b/;

/** All of a file that can be read; what cannot is told by who reads Istio's objects. */
export function kubernetesObjects(source: string, text: string): readonly KubernetesObject[] {
  if (!isWorthReading.test(text)) return [];
  const read = readYamlDocuments(text, objectsLimits);
  if (read.kind === "refused") return [];
  return read.documents.flatMap(({ document, faults, meant }) => {
    if (faults.length > 0) return [];
    for (const [alias, node] of meant) alias.resolve = () => node as Scalar | YAMLMap | YAMLSeq;
    return itemsOf(document).flatMap((node): readonly KubernetesObject[] => {
      const value: unknown = node.toJS(document, { maxAliasCount: -1 });
      const [kind, name] = [textAt(value, "kind"), textAt(value, "metadata", "name")];
      if (kind === undefined || name === undefined) return [];
      const line = read.lines.linePos(node.range?.[0] ?? 0).line;
      const namespace = textAt(value, "metadata", "namespace") ?? "default";
      return [{ kind, namespace, name, ...describedBy(value), value, source, line }];
    });
  });
}

/** The items of a list as `kubectl get` prints it, or the object itself. */
export function itemsOf(document: Document.Parsed): readonly Node[] {
  const { contents } = document;
  if (!isMap(contents)) return [];
  const kind: unknown = contents.get("kind");
  const items: unknown = kind === "List" ? contents.get("items", true) : undefined;
  return isSeq(items) ? items.items.map((item) => item as Node) : [contents];
}

function describedBy(value: unknown): Pick<PodTemplate, "labels" | "annotations"> {
  return {
    labels: textsAt(value, "metadata", "labels"),
    annotations: textsAt(value, "metadata", "annotations"),
  };
}

/** The texts of a mapping. */
export function textsAt(value: unknown, ...path: readonly string[]): Readonly<Record<string, string>> {
  const found = at(value, ...path);
  if (typeof found !== "object" || found === null) return {};
  return Object.fromEntries(
    Object.entries(found).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
  );
}

/** The pods of an object; undefined where it has none. */
export function podTemplateOf(owner: KubernetesObject): PodTemplate | undefined {
  const path = podTemplatePaths[owner.kind];
  if (path === undefined) return undefined;
  const template = at(owner.value, ...path);
  return { owner, path: path.join("."), ...describedBy(template), spec: at(template, "spec") };
}

/** Its containers with those that run before and beside them, each with its path in the template. */
export function containersOf({
  spec,
  path,
}: PodTemplate): readonly (readonly [path: string, container: unknown])[] {
  const start = path === "" ? "spec" : `${path}.spec`;
  return ["initContainers", "containers"].flatMap((list) =>
    listAt(spec, list).map((container, index) => [`${start}.${list}[${index}]`, container] as const),
  );
}
