/**
 * MeshConfig, which is no object with a name of its own: a file has it, or a ConfigMap as Istio's installation writes it.
 */
import { isMap, isScalar, type Node, type YAMLMap } from "yaml";
import { objectsLimits } from "../../document/limits.ts";
import { readYamlDocuments } from "../../document/yaml.ts";
import { type DecodeContext, deepestNode, report } from "./decode.ts";
import type { ConfigObject } from "./objects.ts";
import type { ParsedFile } from "./parse-documents.ts";
import type { ConfigProblem } from "./problem.ts";
import { meshConfig } from "./schemas/mesh-config.ts";
import { validate } from "./validate.ts";

type MeshConfigObject = Extract<ConfigObject, { kind: "MeshConfig" }>;

/** Where Istio's installation puts it. */
const place = { kind: "MeshConfig", name: "istio", namespace: "istio-system" } as const;

/** As messages and lists of objects name it. */
export const meshConfigId = `${place.kind} ${place.namespace}/${place.name}`;

/** A file with a MeshConfig alone, as `--meshConfig` names it. */
export function parseMeshConfigFile(source: string, content: string): ParsedFile {
  const problems: ConfigProblem[] = [];
  const object = parse(content, { source, firstLine: 1 }, problems);
  return {
    source,
    objects: object === undefined ? [] : [object],
    problems,
    refused: object === undefined ? [meshConfigId] : [],
    hidesObjects: false,
  };
}

/** True for the ConfigMap of the mesh's settings. */
export function isMeshConfigMap(node: Node): node is YAMLMap {
  return (
    isMap(node) &&
    node.get("kind") === "ConfigMap" &&
    node.get("apiVersion") === "v1" &&
    node.getIn(["metadata", "name"]) === place.name &&
    node.getIn(["metadata", "namespace"]) === place.namespace &&
    node.hasIn(["data", "mesh"])
  );
}

/** What it holds; undefined where something is wrong with it, which `context` has been told. */
export function meshConfigIn(node: YAMLMap, context: DecodeContext): MeshConfigObject | undefined {
  const held = node.getIn(["data", "mesh"], true) as Node | undefined;
  if (!isScalar(held) || typeof held.value !== "string") {
    report(context, held ?? node, "data.mesh", "must be text with a MeshConfig in YAML");
    return undefined;
  }
  const { line } = context.lines.linePos(held.range?.[0] ?? 0);
  const isBlock = held.type === "BLOCK_LITERAL" || held.type === "BLOCK_FOLDED";
  return parse(
    held.value,
    { source: context.source, firstLine: isBlock ? line + 1 : line },
    context.problems,
  );
}

function parse(
  content: string,
  { source, firstLine }: { readonly source: string; readonly firstLine: number },
  problems: ConfigProblem[],
): MeshConfigObject | undefined {
  const read = readYamlDocuments(content, objectsLimits, 1);
  const faults = read.kind === "refused" ? read.faults : read.documents.flatMap((each) => each.faults);
  for (const { line, message } of faults)
    problems.push({ source, line: firstLine + (line ?? 1) - 1, path: "", message });
  if (read.kind === "refused" || faults.length > 0) return undefined;
  const found = { ...place, source, line: firstLine };
  const [document] = read.documents;
  const contents = document?.document.contents ?? null;
  // A file in which everything is a comment says nothing, and is none the worse.
  if (document === undefined || contents === null || (isScalar(contents) && contents.value === null))
    return { ...found, spec: {} };
  const context: DecodeContext = {
    source,
    lines: {
      linePos: (offset) => {
        const { line, col } = read.lines.linePos(offset);
        return { line: firstLine + line - 1, col };
      },
    },
    problems,
    errors: 0,
    meant: document.meant,
  };
  const spec = meshConfig(contents, "", context);
  if (spec === undefined) return undefined;
  const object: MeshConfigObject = { ...found, spec };
  for (const [path, message, severity] of validate(object))
    report(context, deepestNode(contents, path), path, message, severity);
  return context.errors === 0 ? object : undefined;
}
