/**
 * A YAML file becomes configuration objects, or every problem with its line.
 */
import { isMap, isScalar, isSeq, LineCounter, type Node, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";
import { type DocumentFault, objectsLimits } from "../../document/limits.ts";
import { isMapping } from "../../document/mapping.ts";
import { readYamlDocuments } from "../../document/yaml.ts";
import { atOnce } from "../../lifecycle/in-turns.ts";
import {
  anything,
  type DecodeContext,
  type Decoder,
  deepestNode,
  isEnough,
  type Field,
  mapping,
  object,
  optional,
  report,
  required,
  text,
  warn,
} from "./decode.ts";
import { type ConfigObject, type Kinds, objectId } from "./objects.ts";
import { isMeshConfigMap, meshConfigId, meshConfigIn } from "./parse-mesh-config.ts";
import type { ConfigProblem } from "./problem.ts";
import { apiVersionsOf, kindOf, kinds, writtenKind } from "./schema.ts";
import { dockerConfigKey, secretKeys } from "./schemas/secret.ts";
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
  creationTimestamp: optional(
    text("a time such as 2026-01-31T12:00:00Z", (value) => !Number.isNaN(Date.parse(value))),
  ),
  // What Kubernetes notes in each object, as `kubectl get -o yaml` prints it.
  ...Object.fromEntries(
    [
      ...["uid", "resourceVersion", "generation", "generateName", "selfLink", "managedFields"],
      ...["ownerReferences", "finalizers", "deletionTimestamp", "deletionGracePeriodSeconds"],
    ].map((name) => [name, optional(anything)]),
  ),
});

const defaultNamespace = "default";

/** Groups of Istio's API, and the Gateway API. */
const istioGroup = /^(?:(?:networking|security|telemetry|extensions)\.istio|gateway\.networking\.k8s)\.io\//;

/** Kinds of theirs that this control plane does not act on. */
const withoutEffect: readonly string[] = ["BackendTLSPolicy", "ListenerSet", "UDPRoute"];

/** How a message begins about objects of other kinds, of which nothing is served. */
export const passedOverMessage = "objects that are not Istio's are passed over";

/** Objects of kinds that are not Istio's, in one file. */
interface PassedOver {
  readonly kinds: Set<string>;
  count: number;
  first: Node | undefined;
}

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
  const context: DecodeContext = { source, lines: read.lines, problems, errors: 0, meant: new Map() };
  const objects: ConfigObject[] = [];
  const refused: (string | undefined)[] = [];
  const passedOver: PassedOver = { kinds: new Set(), count: 0, first: undefined };
  for (const { document, faults, meant } of read.documents) {
    tell(faults);
    if (faults.length > 0) refused.push(undefined);
    if (faults.length > 0 || document.contents === null || isNothing(document.contents)) continue;
    context.meant = meant;
    for (const node of objectsIn(document.contents)) {
      if (isMeshConfigMap(node)) {
        const parsed = meshConfigIn(node, context);
        if (parsed === undefined) refused.push(meshConfigId);
        else objects.push(parsed);
        continue;
      }
      if (isPassedOver(node, context, passedOver)) continue;
      const before = problems.length;
      const parsed = parseObject(node, context);
      if (parsed === undefined) refused.push(nameRefused(problems, before, idOf(node)));
      else objects.push(parsed);
    }
  }
  if (passedOver.count > 0) {
    const names = [...passedOver.kinds].toSorted().join(", ");
    warn(context, passedOver.first, "kind", `${passedOverMessage}: ${names}`);
  }
  return {
    source,
    objects,
    problems,
    refused: refused.filter((id) => id !== undefined),
    hidesObjects: refused.includes(undefined),
  };
}

/** Errors of one object that are told: whoever wrote it knows by then, and what was made to have a million has no more. */
const mostErrors = 20;

/** The same of one object of a source that has no text of it, such as a cluster's API: problems have no line. */
export function parseObjectOf(source: string, value: object): ParsedFile {
  return atOnce(parsingObjectOf(source, value));
}

/** The same, which stops now and then for others to have their turn. */
export function* parsingObjectOf(source: string, value: object): Generator<void, ParsedFile> {
  const problems: ConfigProblem[] = [];
  const lines = new LineCounter();
  const context: DecodeContext = { source, lines, problems, errors: 0, most: mostErrors, meant: new Map() };
  const node = yield* nodeOf(value);
  const nothing = { source, objects: [], problems, refused: [], hidesObjects: false };
  if (isPassedOver(node, context, { kinds: new Set(), count: 0, first: undefined })) return nothing;
  const parsed = parseObject(node, context);
  if (parsed !== undefined) return { ...nothing, objects: [parsed] };
  const id = nameRefused(problems, 0, idOf(node));
  return { ...nothing, refused: id === undefined ? [] : [id], hidesObjects: id === undefined };
}

/** What JSON says, as nodes. */
function* nodeOf(value: unknown): Generator<void, Node> {
  if (Array.isArray(value)) {
    const list = new YAMLSeq();
    for (const item of value as readonly unknown[]) list.items.push(yield* nodeOf(item));
    yield;
    return list;
  }
  if (!isMapping(value)) return new Scalar(value);
  const map = new YAMLMap();
  for (const [key, item] of Object.entries(value))
    if (item !== undefined) map.items.push(new Pair(new Scalar(key), yield* nodeOf(item)));
  yield;
  return map;
}

/** Errors from an index on have the object refused. @returns its name */
function nameRefused(problems: ConfigProblem[], from: number, id: string | undefined): string | undefined {
  for (const [index, problem] of problems.entries())
    if (index >= from && id !== undefined && problem.severity === undefined)
      problems[index] = { ...problem, refuses: id };
  return id;
}

/** The items of a list as `kubectl get` prints it, or the object itself. */
function objectsIn(node: Node): readonly Node[] {
  if (!isMap(node) || textAt(node, "kind") !== "List" || textAt(node, "apiVersion") !== "v1") return [node];
  const items = node.get("items", true);
  return isSeq(items) ? items.items.map((item) => item as Node) : [];
}

/** True for an object that nothing is made of; it is told what is passed over. */
function isPassedOver(node: Node, context: DecodeContext, passedOver: PassedOver): boolean {
  if (!isMap(node)) return false;
  const kind = textAt(node, "kind");
  const apiVersion = textAt(node, "apiVersion");
  const known = kindOf(kind, apiVersion);
  if (kind === "" || apiVersion === "" || (known !== undefined && !isOfAnother(node, known))) return false;
  if (!istioGroup.test(apiVersion)) {
    // Not one of Istio's versions at all: a slip of the pen is told as such.
    if (/istio/.test(apiVersion)) return false;
    passedOver.kinds.add(kind.slice(0, 64));
    passedOver.count += 1;
    passedOver.first ??= nodeAt(node, "kind");
    return true;
  }
  if (!withoutEffect.includes(kind)) return false;
  warn(
    context,
    nodeAt(node, "kind"),
    "kind",
    `a ${kind} has no effect here: this control plane does not act on it`,
  );
  return true;
}

/** Secrets are many things: those that hold neither a certificate nor Docker's configuration are none of ours. */
function isOfAnother(node: YAMLMap, kind: keyof Kinds): boolean {
  const names: readonly string[] = [...Object.values(secretKeys).flat(), dockerConfigKey];
  return (
    kind === "Secret" && !names.some((name) => node.hasIn(["data", name]) || node.hasIn(["stringData", name]))
  );
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
  const written = textAt(node, "kind");
  const apiVersion = textAt(node, "apiVersion");
  const kind = kindOf(written, apiVersion);
  if (kind === undefined) {
    const known = [...new Set(Object.keys(kinds).map((each) => writtenKind(each as keyof Kinds)))].join(", ");
    report(context, nodeAt(node, "kind"), "kind", `${JSON.stringify(written)} is not one of ${known}`);
    return undefined;
  }
  const { spec, isBare, isClusterWide } = kinds[kind];
  const before = context.errors;
  const [wanted = "", ...others] = apiVersionsOf(kind);
  if (apiVersion !== wanted && !others.includes(apiVersion))
    report(context, nodeAt(node, "apiVersion"), "apiVersion", `must be ${wanted} for a ${written}`);
  const decoded = object({
    apiVersion: required(text()),
    kind: required(text()),
    metadata: required(metadata),
    ...(isBare === true ? fieldsOf(spec) : { spec: required(spec as Decoder<Kinds[keyof Kinds]>) }),
    status: optional(anything),
  })(node, "", context);
  if (decoded === undefined) return undefined;
  const offset = node.range?.[0] ?? 0;
  const parsed = {
    kind,
    name: decoded.metadata.name,
    namespace: isClusterWide === true ? "" : (decoded.metadata.namespace ?? defaultNamespace),
    ...createdAt(decoded.metadata.creationTimestamp),
    ...(kind === "AuthorizationPolicy" ? dryRun(node, decoded.metadata.annotations, context) : {}),
    ...(kind === "Namespace" ? { labels: decoded.metadata.labels ?? {} } : {}),
    source: context.source,
    line: context.lines.linePos(offset).line,
    spec: isBare === true ? bareSpec(decoded) : Reflect.get(decoded, "spec"),
  } as ConfigObject;
  for (const [path, message, severity, code] of validate(parsed)) {
    if (isEnough(context)) break;
    report(context, deepestNode(node, path), path, message, severity, code);
  }
  return context.errors === before ? parsed : undefined;
}

function fieldsOf({ shape }: Decoder<unknown>): Readonly<Record<string, Field<unknown>>> {
  return shape?.kind === "object" ? shape.fields : {};
}

function bareSpec(decoded: object): object {
  const rest = new Map(Object.entries(decoded));
  for (const name of ["apiVersion", "kind", "metadata", "status"]) rest.delete(name);
  return Object.fromEntries(rest);
}

function createdAt(timestamp: string | undefined): Pick<ConfigObject, "createdAtMs"> {
  return timestamp === undefined ? {} : { createdAtMs: Date.parse(timestamp) };
}

const dryRunAnnotation = "istio.io/dry-run";

/** Spellings that Istio takes (Go's ParseBool). */
const isDryRunBy: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "true", "TRUE", "True"].map((value) => [value, true] as const),
  ...["0", "f", "F", "false", "FALSE", "False"].map((value) => [value, false] as const),
]);

function dryRun(
  node: YAMLMap,
  annotations: Readonly<Record<string, string>> = {},
  context: DecodeContext,
): Pick<ConfigObject, "isDryRun"> {
  const value = annotations[dryRunAnnotation];
  if (value === undefined) return {};
  const isDryRun = isDryRunBy.get(value);
  const path = `metadata.annotations.${dryRunAnnotation}`;
  if (isDryRun === undefined)
    report(context, deepestNode(node, "metadata.annotations"), path, 'must be "true" or "false"');
  return isDryRun === true ? { isDryRun } : {};
}

/** Which object a document is, as far as it says so. */
function idOf(node: Node): string | undefined {
  if (!isMap(node)) return undefined;
  const kind = kindOf(textAt(node, "kind"), textAt(node, "apiVersion"));
  const name = node.getIn(["metadata", "name"]);
  if (kind === undefined || typeof name !== "string") return undefined;
  const isClusterWide = kinds[kind].isClusterWide === true;
  const namespace = isClusterWide ? "" : (node.getIn(["metadata", "namespace"]) ?? defaultNamespace);
  return typeof namespace === "string" ? objectId({ kind, namespace, name }) : undefined;
}

function textAt(node: YAMLMap, key: string): string {
  const value = node.get(key);
  return typeof value === "string" ? value : "";
}

function nodeAt(node: YAMLMap, key: string): Node {
  return node.get(key, true) ?? node;
}
