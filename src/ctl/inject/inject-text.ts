/**
 * A text of objects with a sidecar in each of those that make pods. Pure.
 */
import { injectPod } from "../../controlplane/inject/inject-pod.ts";
import { jsonPatch } from "../../controlplane/inject/json-patch.ts";
import { readPod } from "../../controlplane/inject/pod.ts";
import type { InjectionSettings } from "../../controlplane/inject/settings.ts";
import { workloadOf } from "../../controlplane/inject/workload.ts";
import { readJson } from "../../document/json.ts";
import { objectsLimits } from "../../document/limits.ts";
import { isMapping } from "../../document/mapping.ts";
import { readYamlDocuments } from "../../document/yaml.ts";
import { listAt, textAt } from "../../lifecycle/json-path.ts";
import { type DocumentText, documentsOf } from "./documents.ts";
import { patchedText, type Patch } from "./patched-text.ts";

/** Where the text is from, and what is not in it. */
export interface InjectTextOptions {
  /** As messages call it. */
  readonly source: string;
  readonly namespace: string;
  readonly hasNativeSidecars: boolean;
}

/** The text, what is to be told beside it, and what keeps it from being used. */
export interface InjectedText {
  readonly text: string;
  readonly told: readonly string[];
  readonly errors: readonly string[];
}

type NamespaceLabels = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** Never throws. */
export function injectText(
  text: string,
  settings: InjectionSettings,
  options: InjectTextOptions,
): InjectedText {
  const told: string[] = [];
  const errors: string[] = [];
  const parts = documentsOf(text);
  const objects = parts.map((part) => objectIn(part, options.source, errors));
  const namespaces = namespacesOf(objects.flatMap((object) => itemsOf(object)));
  const texts = parts.map((part, index) => {
    const object = objects[index];
    const patches = itemsOf(object).flatMap((item, at) =>
      patchOf(item, { settings, options, namespaces, told, errors }).map((patch): Patch =>
        item === object ? patch : { ...patch, path: ["items", at, ...patch.path] },
      ),
    );
    return patches.length === 0 ? part.text : patchedText(part.text, object, patches);
  });
  return { text: texts.join(""), told, errors };
}

/** Undefined for a part that holds nothing, or cannot be read, which is told. */
function objectIn({ text, linesBefore }: DocumentText, source: string, errors: string[]): unknown {
  if (/^\s*\{/.test(text)) {
    const json = readJson(text, objectsLimits);
    if (json.kind === "read") return json.value;
  }
  const read = readYamlDocuments(text, objectsLimits);
  const faults = read.kind === "refused" ? read.faults : read.documents.flatMap((each) => each.faults);
  errors.push(
    ...faults.map(({ line, message }) =>
      line === undefined ? `${source}: ${message}` : `${source}:${line + linesBefore}: ${message}`,
    ),
  );
  if (read.kind === "refused" || faults.length > 0) return undefined;
  const [found] = read.documents;
  if (found === undefined) return undefined;
  for (const [alias, node] of found.meant) alias.resolve = () => node as ReturnType<typeof alias.resolve>;
  return found.document.toJS({ maxAliasCount: -1 }) as unknown;
}

/** The items of a list, or the object itself. */
function itemsOf(object: unknown): readonly unknown[] {
  return (textAt(object, "kind") ?? "").endsWith("List") ? listAt(object, "items") : [object];
}

function namespacesOf(objects: readonly unknown[]): NamespaceLabels {
  return new Map(
    objects.flatMap((object) => {
      const name = textAt(object, "metadata", "name");
      if (textAt(object, "kind") !== "Namespace" || name === undefined || !isMapping(object)) return [];
      const { metadata } = object;
      const labels = isMapping(metadata) && isMapping(metadata["labels"]) ? metadata["labels"] : {};
      const pairs = Object.entries(labels).filter(
        (pair): pair is [string, string] => typeof pair[1] === "string",
      );
      return [[name, Object.fromEntries(pairs)]];
    }),
  );
}

function patchOf(
  object: unknown,
  {
    settings,
    options,
    namespaces,
    told,
    errors,
  }: {
    readonly settings: InjectionSettings;
    readonly options: InjectTextOptions;
    readonly namespaces: NamespaceLabels;
    readonly told: string[];
    readonly errors: string[];
  },
): readonly Patch[] {
  const workload = workloadOf(object);
  if (workload === undefined) return [];
  const { kind, name, path, template } = workload;
  const namespace = workload.namespace === "" ? options.namespace : workload.namespace;
  const who = `${options.source}: ${kind} ${namespace}/${name}`;
  const at = path.length === 0 ? "" : `${path.join(".")}.`;
  const pod = readPod(template, at);
  if (Array.isArray(pod)) {
    errors.push(
      ...(pod as readonly { path: string; message: string }[]).map(
        (each) => `${who}: ${each.path}: ${each.message}`,
      ),
    );
    return [];
  }
  const read = pod as Exclude<typeof pod, readonly unknown[]>;
  const namespaceLabels = namespaces.get(namespace);
  const outcome = injectPod(
    read,
    {
      namespace,
      owner: workload.owner(read),
      hasNativeSidecars: options.hasNativeSidecars,
      ...(namespaceLabels && { namespaceLabels }),
    },
    settings,
  );
  if (outcome.kind === "refused") {
    errors.push(...outcome.problems.map((each) => `${who}: ${at}${each.path}: ${each.message}`));
    return [];
  }
  told.push(...outcome.warnings.map((warning) => `${who}: ${warning}`));
  if (outcome.kind === "left") {
    told.push(`${who} is left as it is: ${outcome.reason}`);
    return [];
  }
  return [{ path, operations: jsonPatch(template, outcome.pod) }];
}
