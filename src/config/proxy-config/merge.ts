/**
 * Istio's ProxyConfig: defaults, mesh config, PROXY_CONFIG, the pod's annotations and flags, each laid over the last.
 *
 * A field is replaced as a whole; `proxyMetadata` and `proxyHeaders` alone are merged key by key (Istio's mesh config
 * documentation). Where each value came from is kept, so that a problem names the source to change.
 */
import { configurationLimits } from "../../document/limits.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import type { Field, Values } from "./field.ts";
import { proxyConfigFields } from "./schema.ts";
import { readDocument } from "../sources/read-document.ts";
import { isMapping } from "../../document/mapping.ts";
import { type FieldFault, readFields } from "./read-field.ts";

/** Fields of a ProxyConfig as a source has them, whatever they are. */
export type RawProxyConfig = Readonly<Record<string, unknown>>;

/** A merged ProxyConfig in protobuf's JSON: every field, those included that the agent only passes on. */
export type ProxyConfigValues = Values<typeof proxyConfigFields>;

/** A merged ProxyConfig and where each of its values came from. */
export interface MergedProxyConfig {
  readonly fields: ProxyConfigValues;
  /** Source by field, and by `field.key` for the two that are merged key by key. */
  readonly origins: ReadonlyMap<string, string>;
  /** What was odd but usable. */
  readonly warnings: readonly string[];
}

/** A source of ProxyConfig fields. */
export type ProxyConfigLayer =
  | {
      /** `PROXY_CONFIG`, or a file's path. */
      readonly source: string;
      readonly text: string;
      /** Path to the ProxyConfig inside the document. */
      readonly path: "" | "defaultConfig";
    }
  | {
      /** A flag or an annotation. */
      readonly source: string;
      readonly fields: RawProxyConfig;
      /** Messages are laid into the ones that are there instead of replacing them. */
      readonly isPartial?: boolean;
    };

const rows = Object.entries<Field>(proxyConfigFields);

/** What no source has to say. */
const defaults = Object.fromEntries(
  rows.flatMap(([name, row]) => (row.default === undefined ? [] : [[name, row.default]])),
);

/** More of one source than these say nothing more. */
const mostTold = 20;

/** More of a path than this is nobody's to read. */
const longestPath = 120;

const mergedByKey = rows.flatMap(([name, { isMergedByKey }]) => (isMergedByKey === true ? [name] : []));

/** Lay `layers` over the defaults; what cannot be used adds a problem with its source. */
export function mergeProxyConfig(
  layers: readonly ProxyConfigLayer[],
  problems: ConfigProblem[],
): MergedProxyConfig {
  let fields: RawProxyConfig = defaults;
  const origins = new Map(Object.keys(defaults).map((name) => [name, "default"]));
  const warnings: string[] = [];
  const doubts: { readonly name: string; readonly problem: ConfigProblem }[] = [];
  for (const layer of layers) {
    const { source } = layer;
    const faults: FieldFault[] = [];
    const read = readFields(proxyConfigFields, layerFields(layer, problems), "", faults);
    const unknown = faults.filter(({ kind }) => kind === "unknown");
    for (const { path, message } of unknown.slice(0, mostTold)) {
      warnings.push(`${source}: ${path.slice(0, longestPath)} ${message}; ignored`);
    }
    if (unknown.length > mostTold)
      warnings.push(`${source}: ${unknown.length - mostTold} more fields are not known; ignored`);
    const wrong = faults.filter(({ kind }) => kind === "type");
    problems.push(...wrong.slice(0, mostTold).map(({ path, message }) => ({ source, path, message })));
    if (wrong.length > mostTold)
      problems.push({ source, path: "", message: `${wrong.length - mostTold} more values are wrong` });
    for (const { path, message } of faults.filter(({ kind }) => kind === "range")) {
      const name = /^[^.[]*/.exec(path)?.[0] ?? "";
      doubts.push({ name, problem: { source, path, message } });
      origins.set(name, source);
    }
    fields = {
      ...withoutOthers(fields, read),
      ...overlay(fields, read, "isPartial" in layer && (layer.isPartial ?? false)),
    };
    for (const [name, value] of Object.entries(read)) {
      if (!mergedByKey.includes(name) || !isMapping(value)) origins.set(name, source);
      else for (const key of Object.keys(value)) origins.set(`${name}.${key}`, source);
    }
  }
  // A value out of range that something stronger replaces harms nobody.
  problems.push(
    ...doubts
      .filter(({ name, problem }) => origins.get(name) === problem.source)
      .map(({ problem }) => problem),
  );
  return { fields, origins, warnings };
}

/** To set a field is to clear those that are one choice with it. */
function withoutOthers(fields: RawProxyConfig, read: RawProxyConfig): RawProxyConfig {
  const chosen = new Set(rows.flatMap(([name, { oneOf }]) => (name in read && oneOf ? [oneOf] : [])));
  const cleared = rows.flatMap(([name, { oneOf }]) =>
    oneOf !== undefined && chosen.has(oneOf) ? [name] : [],
  );
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !cleared.includes(name)));
}

function overlay(fields: RawProxyConfig, read: RawProxyConfig, isPartial: boolean): RawProxyConfig {
  return Object.fromEntries(
    Object.entries(read).map(([name, value]) => {
      const present = fields[name];
      if (!isMapping(present) || !isMapping(value)) return [name, value];
      // Two flags may set fields of one message, however deep it is.
      if (isPartial) return [name, { ...present, ...overlay(present, value, true) }];
      return [name, mergedByKey.includes(name) ? { ...present, ...value } : value];
    }),
  );
}

function layerFields(layer: ProxyConfigLayer, problems: ConfigProblem[]): RawProxyConfig {
  if ("fields" in layer) return layer.fields;
  if (layer.text.trim() === "") return {};
  const { source } = layer;
  const root = readDocument(source, layer.text, configurationLimits, problems);
  const fields = layer.path === "" ? root : isMapping(root) ? root[layer.path] : undefined;
  if (fields === undefined || fields === null) return {};
  if (!isMapping(fields)) {
    problems.push({ source, path: layer.path, message: "must be a mapping of ProxyConfig fields" });
    return {};
  }
  return fields;
}
