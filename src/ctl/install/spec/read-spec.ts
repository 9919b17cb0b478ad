/**
 * What is to be installed: a profile, files laid over it in their order, then what is set on the command line. All that is wrong
 * is told at once. Pure.
 */
import { Document, isMap, type LineCounter, type Node } from "yaml";
import { configurationLimits } from "../../../document/limits.ts";
import { readYamlDocuments } from "../../../document/yaml.ts";
import { isMapping } from "../../../document/mapping.ts";
import { readProxyConfig } from "../../../config/proxy-config/injected.ts";
import { at } from "../../../lifecycle/json-path.ts";
import type { DecodeContext } from "../../../controlplane/config/decode.ts";
import type { Json, JsonObject } from "../../../controlplane/config/json-value.ts";
import { parseMeshConfigFile } from "../../../controlplane/config/parse-mesh-config.ts";
import { type ConfigProblem, describeConfigProblem } from "../../../controlplane/config/problem.ts";
import { inOwnPlaces } from "./istio-paths.ts";
import { difference, type Lists, overlaid } from "./overlay.ts";
import { type ProfileName, profileSpec } from "./profiles.ts";
import { type InstallSpec, profileNames, specDecoder } from "./schema.ts";
import { parseSet, specOf } from "./set-flag.ts";

/** What a call of the program says. */
export interface SpecSources {
  /** Files by their names, in their order. */
  readonly files: ReadonlyMap<string, string>;
  /** Each `PATH=VALUE`. */
  readonly sets: readonly string[];
  /** Of a flag of its own; undefined where it has none. */
  readonly revision?: string | undefined;
  /** What the installation was told before; files are laid over it. */
  readonly before?: JsonObject | undefined;
  /** The release that is installed. */
  readonly release: string;
}

/** A whole specification, or a line for each problem. */
export type ReadSpec =
  | {
      readonly kind: "read";
      readonly spec: InstallSpec;
      /** The same as it is written. */
      readonly written: JsonObject;
      /** What it has beside the profile. */
      readonly given: JsonObject;
      /** `metadata.name` of the last file that has one. */
      readonly name: string;
    }
  | { readonly kind: "refused"; readonly problems: readonly string[] };

/** The name of an installation that is given none. */
const defaultName = "outrider";

interface Layer {
  readonly source: string;
  readonly spec: JsonObject;
  readonly name?: string;
  readonly lists?: Lists;
}

/** Never throws. */
export function readSpec({ files, sets, revision, before = {}, release }: SpecSources): ReadSpec {
  const problems: ConfigProblem[] = [];
  const layers: readonly Layer[] = [
    { source: "what is installed", spec: before },
    ...[...files].flatMap(([source, text]) => fileLayers(source, text, problems)),
    ...sets.flatMap((text) => setLayer(text, problems)),
    ...(revision === undefined ? [] : [setLayer(`revision=${revision}`, problems, "--revision")].flat()),
  ];
  if (problems.length > 0) return { kind: "refused", problems: problems.map(describeConfigProblem) };
  const profile = layers.findLast(({ spec }) => spec["profile"] !== undefined)?.spec["profile"];
  const named = profileNames.find((name) => name === profile) ?? "default";
  const profiled = profileSpec(named satisfies ProfileName, release);
  const written = layers.reduce<Json>(
    (under, { spec, lists }) => overlaid(under, spec, lists),
    profiled,
  ) as JsonObject;
  problems.push(...wholeProblems(written));
  const spec = decoded("what is to be installed", nodeOf(written), undefined, problems);
  if (problems.length > 0 || spec === undefined)
    return { kind: "refused", problems: problems.map(describeConfigProblem) };
  const name = layers.findLast((layer) => layer.name !== undefined)?.name ?? defaultName;
  const given = { ...(profile === undefined ? {} : { profile: named }), ...difference(profiled, written) };
  return { kind: "read", spec, written, given, name };
}

/** What a file says, which is an IstioOperator, or the specification of one alone. */
function fileLayers(source: string, text: string, problems: ConfigProblem[]): readonly Layer[] {
  const read = readYamlDocuments(text, configurationLimits);
  const faults = read.kind === "refused" ? read.faults : read.documents.flatMap((each) => each.faults);
  for (const { line = 0, message } of faults) problems.push({ source, line, path: "", message });
  if (read.kind === "refused" || faults.length > 0) return [];
  return read.documents.flatMap(({ document }): readonly Layer[] => {
    const whole: unknown = document.toJS({ maxAliasCount: -1 });
    if (whole === null || whole === undefined) return [];
    const isObject = isMapping(whole) && ("kind" in whole || "apiVersion" in whole);
    if (isObject && whole["kind"] !== "IstioOperator") {
      problems.push({ source, line: 1, path: "kind", message: "must be IstioOperator" });
      return [];
    }
    const contents = document.contents as Node;
    const node = isObject && isMap(contents) ? contents.get("spec", true) : contents;
    if (node === undefined || node === null) return [];
    const spec = checked(source, node, read.lines, problems);
    const metadata = isMapping(whole) && isMapping(whole["metadata"]) ? whole["metadata"]["name"] : undefined;
    if (spec === undefined) return [];
    return [{ source, spec, ...(isObject && typeof metadata === "string" ? { name: metadata } : {}) }];
  });
}

/** A value that is none of its field's as YAML reads it is text: `tag=1.10` is no number. */
function setLayer(text: string, problems: ConfigProblem[], source = `--set ${text}`): readonly Layer[] {
  const set = parseSet(text);
  if (typeof set === "string") {
    problems.push({ source, line: 0, path: "", message: set });
    return [];
  }
  const first: ConfigProblem[] = [];
  // Places before it are others' to fill: what is checked is the item alone.
  const item = { ...set, path: set.path.map((part) => (typeof part === "number" ? 0 : part)) };
  const isText = [false, true].find(
    (asText) => checked(source, nodeOf(specOf(item, asText)), undefined, asText ? [] : first) !== undefined,
  );
  const spec = isText === undefined ? undefined : inOwnPlaces(specOf(set, isText), () => undefined);
  if (spec === undefined) problems.push(...first);
  const lists = set.path.some((part) => typeof part === "number") ? "by-place" : "whole";
  return spec === undefined ? [] : [{ source, spec, lists }];
}

/** The specification of one source in its own places; undefined where something is wrong with it. */
function checked(
  source: string,
  node: Node,
  lines: LineCounter | undefined,
  problems: ConfigProblem[],
): JsonObject | undefined {
  const value: unknown = node.toJS(new Document());
  const before = problems.length;
  if (!isMapping(value)) {
    problems.push({ source, line: 0, path: "", message: "must be a mapping of settings" });
    return undefined;
  }
  const spec = inOwnPlaces(value as JsonObject, (path, message) => {
    problems.push({ source, line: 0, path, message });
  });
  const isMoved = JSON.stringify(spec) !== JSON.stringify(value);
  decoded(source, isMoved ? nodeOf(spec) : node, isMoved ? undefined : lines, problems);
  return problems.length === before ? spec : undefined;
}

function decoded(
  source: string,
  node: Node,
  lines: LineCounter | undefined,
  problems: ConfigProblem[],
): InstallSpec | undefined {
  const found: ConfigProblem[] = [];
  const context: DecodeContext = {
    source,
    lines: lines ?? { linePos: () => ({ line: 0, col: 0 }) },
    problems: found,
    errors: 0,
    meant: new Map(),
  };
  const spec = specDecoder(node, "", context);
  const said = (message: string): string => message.replace("this control plane reads", "known are");
  problems.push(...found.map((problem) => ({ ...problem, message: said(problem.message) })));
  return spec;
}

/** What can only be said of all layers together. */
function wholeProblems(written: JsonObject): readonly ConfigProblem[] {
  const mesh = written["meshConfig"];
  if (mesh === undefined) return [];
  const { problems } = parseMeshConfigFile("meshConfig", JSON.stringify(mesh, undefined, 1));
  const defaultConfig = at(mesh, "defaultConfig");
  const ofProxies = isMapping(defaultConfig) ? readProxyConfig(defaultConfig, "").problems : [];
  return [
    ...problems.filter(({ severity }) => severity !== "warning").map((problem) => ({ ...problem, line: 0 })),
    // A pod whose agent would not start with them is not injected.
    ...ofProxies.map((problem) => ({ source: "meshConfig", line: 0, ...problem })),
  ];
}

function nodeOf(value: Json): Node {
  return new Document(value, { aliasDuplicateObjects: false }).contents as Node;
}
