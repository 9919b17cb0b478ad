/**
 * A YAML file becomes configuration objects, or every problem with its line.
 */
import { isMap, isScalar, type Node, type YAMLMap } from "yaml";
import { type DocumentFault, objectsLimits } from "../../document/limits.ts";
import { readYamlDocuments } from "../../document/yaml.ts";
import {
  type DecodeContext,
  type Decoder,
  mapping,
  object,
  optional,
  report,
  required,
  text,
} from "./decode.ts";
import { type ConfigObject, type Kinds, objectId } from "./objects.ts";
import type { ConfigProblem } from "./problem.ts";
import { kinds } from "./schema.ts";
import { validate } from "./validate.ts";

/** What a file held. */
export interface ParsedFile {
  readonly source: string;
  /** Those without a problem. */
  readonly objects: readonly ConfigObject[];
  readonly problems: readonly ConfigProblem[];
  /** Which objects are refused, as `objectId` names them. */
  readonly refused: readonly string[];
  /** True when something is refused of which it is not known which object it is. */
  readonly hidesObjects: boolean;
}

const free = mapping(text("text", () => true));
const metadata = object({
  name: required(text("a name", (value) => /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(value))),
  namespace: optional(text("a namespace", (value) => /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(value))),
  labels: optional(free),
  annotations: optional(free),
});

const defaultNamespace = "default";

const versions = /^(networking|security)\.istio\.io\/(v1|v1beta1|v1alpha3)$/;

/** Read every document of `content`. */
export function parseDocuments(source: string, content: string): ParsedFile {
  const read = readYamlDocuments(content, objectsLimits);
  const problems: ConfigProblem[] = [];
  const tell = (faults: readonly DocumentFault[]): void => {
    problems.push(...faults.map(({ line = 0, message }) => ({ source, line, path: "", message })));
  };
  if (read.kind === "refused") {
    tell(read.faults);
    return { source, objects: [], problems, refused: [], hidesObjects: true };
  }
  const context: DecodeContext = { source, lines: read.lines, problems };
  const objects: ConfigObject[] = [];
  const refused: (string | undefined)[] = [];
  for (const { document, faults } of read.documents) {
    tell(faults);
    if (faults.length > 0) refused.push(undefined);
    if (faults.length > 0 || document.contents === null || isNothing(document.contents)) continue;
    const parsed = parseObject(document.contents, context);
    if (parsed === undefined) refused.push(idOf(document.contents));
    else objects.push(parsed);
  }
  return {
    source,
    objects,
    problems,
    refused: refused.filter((id) => id !== undefined),
    hidesObjects: refused.includes(undefined),
  };
}

/** What a template leaves of an object that is switched off, or a separator after the last one: kubectl takes it, too. */
function isNothing(contents: Node): boolean {
  return isScalar(contents) && contents.value === null;
}

function parseObject(node: Node, context: DecodeContext): ConfigObject | undefined {
  if (!isMap(node)) {
    report(context, node, "", "must be an Istio object with apiVersion, kind, metadata and spec");
    return undefined;
  }
  const kind = textAt(node, "kind");
  if (!isKind(kind)) {
    const known = Object.keys(kinds).join(", ");
    report(context, nodeAt(node, "kind"), "kind", `${JSON.stringify(kind)} is not one of ${known}`);
    return undefined;
  }
  const { group, spec } = kinds[kind];
  const apiVersion = textAt(node, "apiVersion");
  const before = context.problems.length;
  if (!versions.test(apiVersion) || !apiVersion.startsWith(`${group}/`)) {
    report(context, nodeAt(node, "apiVersion"), "apiVersion", `must be ${group}/v1 for a ${kind}`);
  }
  const decoded = object({
    apiVersion: required(text()),
    kind: required(text()),
    metadata: required(metadata),
    spec: required(spec as Decoder<Kinds[keyof Kinds]>),
  })(node, "", context);
  if (decoded === undefined) return undefined;
  const offset = node.range?.[0] ?? 0;
  const parsed = {
    kind,
    name: decoded.metadata.name,
    namespace: decoded.metadata.namespace ?? defaultNamespace,
    source: context.source,
    line: context.lines.linePos(offset).line,
    spec: decoded.spec,
  } as ConfigObject;
  for (const [path, message] of validate(parsed)) report(context, deepestNode(node, path), path, message);
  return context.problems.length === before ? parsed : undefined;
}

/** Which object a document is, as far as it says so. */
function idOf(node: Node): string | undefined {
  if (!isMap(node)) return undefined;
  const kind = textAt(node, "kind");
  const name = node.getIn(["metadata", "name"]);
  const namespace = node.getIn(["metadata", "namespace"]) ?? defaultNamespace;
  if (!isKind(kind) || typeof name !== "string" || typeof namespace !== "string") return undefined;
  return objectId({ kind, namespace, name });
}

function isKind(kind: string): kind is keyof Kinds {
  return Object.hasOwn(kinds, kind);
}

function textAt(node: YAMLMap, key: string): string {
  const value = node.get(key);
  return typeof value === "string" ? value : "";
}

function nodeAt(node: YAMLMap, key: string): Node {
  return node.get(key, true) ?? node;
}

/** The node at `path`, or the nearest one above it that is in the file. */
function deepestNode(root: Node, path: string): Node {
  let node: Node = root;
  for (const key of path.split(/[.[\]]+/).filter((part) => part !== "")) {
    const collection = node as Node & { get?: (key: unknown, keepScalar: true) => unknown };
    const next = collection.get?.(/^\d+$/.test(key) ? Number(key) : key, true) as Node | undefined;
    if (next === undefined || next === null) break;
    node = next;
  }
  return node;
}
