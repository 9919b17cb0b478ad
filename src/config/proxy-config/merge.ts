/**
 * Istio's ProxyConfig: defaults, mesh config, PROXY_CONFIG, the pod's annotations and flags, each laid over the last.
 *
 * A field is replaced as a whole; `proxyMetadata` and `proxyHeaders` alone are merged key by key (Istio's mesh config
 * documentation). Where each value came from is kept, so that a problem names the source to change.
 */
import type { RemoteService, Tracing } from "../../bootstrap/services.ts";
import { configurationLimits } from "../../document/limits.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import { parseDurationMs } from "../../schema/duration.ts";
import { proxyConfigFields } from "./schema.ts";
import { readDocument } from "../sources/read-document.ts";
import { isMapping } from "../../document/mapping.ts";
import { type FieldFault, readFields } from "./read-field.ts";

/** A merged ProxyConfig in protobuf's JSON: every field, those included that the agent only passes on. */
export type RawProxyConfig = Readonly<Record<string, unknown>>;

/** A merged ProxyConfig and where each of its values came from. */
export interface MergedProxyConfig {
  readonly fields: RawProxyConfig;
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

const defaults: RawProxyConfig = {
  configPath: "./etc/istio/proxy",
  binaryPath: "/usr/local/bin/envoy",
  serviceCluster: "istio-proxy",
  drainDuration: "45s",
  terminationDrainDuration: "5s",
  discoveryAddress: "istiod.istio-system.svc:15012",
  proxyAdminPort: 15000,
  controlPlaneAuthPolicy: "MUTUAL_TLS",
  statNameLength: 189,
  statusPort: 15020,
};

/** More of one source than these say nothing more. */
const mostTold = 20;

/** More of a path than this is nobody's to read. */
const longestPath = 120;

const mergedByKey: readonly string[] = ["proxyMetadata", "proxyHeaders"];

/** Lay `layers` over the defaults; what cannot be used adds a problem with its source. */
export function mergeProxyConfig(
  layers: readonly ProxyConfigLayer[],
  problems: ConfigProblem[],
): MergedProxyConfig {
  let fields = defaults;
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
      ...withoutOther(fields, read),
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

/** The two are one choice to protobuf: to set one is to clear the other. */
function withoutOther(fields: RawProxyConfig, read: RawProxyConfig): RawProxyConfig {
  const chosen = ["tracingServiceName", "serviceCluster"].find((name) => read[name] !== undefined);
  if (chosen === undefined) return fields;
  const { serviceCluster: _, tracingServiceName: __, ...rest } = fields;
  return rest;
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

/** The fields that the agent acts on. */
export interface ProxyConfig {
  readonly configPath: string;
  /** Set only where a user named a binary: the default is one of the places that are searched. */
  readonly binaryPath: string | undefined;
  readonly serviceCluster: string;
  readonly tracingServiceName: string | undefined;
  readonly drainDurationMs: number;
  readonly parentShutdownDurationMs: number | undefined;
  readonly terminationDrainDurationMs: number;
  readonly discoveryAddress: string;
  readonly proxyAdminPort: number;
  readonly statusPort: number;
  /** Envoy's worker threads; 0 takes all CPUs, undefined was not said. */
  readonly concurrency: number | undefined;
  readonly controlPlaneAuthPolicy: "NONE" | "MUTUAL_TLS";
  readonly proxyMetadata: Readonly<Record<string, string>>;
  readonly runtimeValues: Readonly<Record<string, string>>;
  readonly customConfigFile: string | undefined;
  readonly proxyBootstrapTemplatePath: string | undefined;
  readonly statsdUdpAddress: string | undefined;
  readonly tracing: Tracing;
  readonly envoyMetricsService: RemoteService;
  readonly envoyAccessLogService: RemoteService;
  readonly extraStatTags: readonly string[];
  readonly inclusion: Readonly<
    Record<"inclusionPrefixes" | "inclusionSuffixes" | "inclusionRegexps", readonly string[]>
  >;
  readonly statsCompression: boolean;
  readonly fileFlushIntervalMs: number;
  readonly fileFlushMinSizeKb: number | undefined;
  readonly maxDownstreamConnections: number;
}

/** The fields of `merged` as the agent acts on them; one that is required and empty is a problem. */
export function decodeProxyConfig(merged: MergedProxyConfig, problems: ConfigProblem[]): ProxyConfig {
  const { fields, origins } = merged;
  const text = (name: string): string | undefined => (fields[name] as string | undefined) || undefined;
  const durationMs = (name: string): number => parseDurationMs(text(name) ?? "") ?? 0;
  const required = (name: string): string => {
    const value = text(name);
    if (value === undefined && !problems.some(({ path }) => path === name)) {
      problems.push({ source: origins.get(name) ?? "ProxyConfig", path: name, message: "must not be empty" });
    }
    return value ?? "";
  };
  const map = (name: string): Readonly<Record<string, string>> =>
    (fields[name] ?? {}) as Record<string, string>;
  const tracing = (fields["tracing"] ?? {}) as Tracing;
  const zipkin = text("zipkinAddress");
  const metricsService = text("envoyMetricsServiceAddress");
  const binaryPath = text("binaryPath");
  const connections = fields["connectionSettings"] as
    { globalDownstreamConnectionLimit?: number } | undefined;
  return {
    configPath: required("configPath"),
    binaryPath: binaryPath === defaults["binaryPath"] ? undefined : binaryPath,
    serviceCluster: text("serviceCluster") ?? "",
    tracingServiceName: text("tracingServiceName"),
    drainDurationMs: durationMs("drainDuration"),
    parentShutdownDurationMs: durationMs("parentShutdownDuration") || undefined,
    terminationDrainDurationMs: durationMs("terminationDrainDuration"),
    discoveryAddress: required("discoveryAddress"),
    proxyAdminPort: fields["proxyAdminPort"] as number,
    statusPort: fields["statusPort"] as number,
    concurrency: fields["concurrency"] as number | undefined,
    controlPlaneAuthPolicy: text("controlPlaneAuthPolicy") === "NONE" ? "NONE" : "MUTUAL_TLS",
    proxyMetadata: map("proxyMetadata"),
    runtimeValues: map("runtimeValues"),
    customConfigFile: text("customConfigFile"),
    proxyBootstrapTemplatePath: text("proxyBootstrapTemplatePath"),
    statsdUdpAddress: text("statsdUdpAddress"),
    tracing:
      Object.keys(tracing).length === 0 && zipkin !== undefined ? { zipkin: { address: zipkin } } : tracing,
    envoyMetricsService: remoteService(fields["envoyMetricsService"], metricsService),
    envoyAccessLogService: remoteService(fields["envoyAccessLogService"], undefined),
    extraStatTags: (fields["extraStatTags"] ?? []) as readonly string[],
    inclusion: {
      inclusionPrefixes: [],
      inclusionSuffixes: [],
      inclusionRegexps: [],
      ...(fields["proxyStatsMatcher"] as Partial<ProxyConfig["inclusion"]> | undefined),
    },
    statsCompression: fields["statsCompression"] !== false,
    fileFlushIntervalMs: durationMs("fileFlushInterval") || 1_000,
    fileFlushMinSizeKb: (fields["fileFlushMinSizeKb"] as number | undefined) || undefined,
    maxDownstreamConnections: connections?.globalDownstreamConnectionLimit ?? 0,
  };
}

/** An empty address is none. */
function remoteService(value: unknown, oldAddress: string | undefined): RemoteService {
  const { address, ...service } = (value ?? {}) as RemoteService;
  const found = address || oldAddress;
  return found === undefined ? service : { ...service, address: found };
}
