/**
 * Istio's ProxyConfig: defaults, mesh config, PROXY_CONFIG and the pod's annotation, each laid over the last.
 *
 * A field is replaced as a whole; `proxyMetadata` alone is merged key by key (Istio's mesh config documentation).
 */
import { LineCounter, parseDocument } from "yaml";
import type { ConfigProblem } from "./config-problem.ts";
import { parseDurationMs } from "./duration.ts";

/** A ProxyConfig as it was written: every field, those included that the agent only passes on. */
export type RawProxyConfig = Readonly<Record<string, unknown>>;

/** The fields that the agent acts on. */
export interface ProxyConfig {
  readonly configPath: string;
  /** Set only where a user named a binary: the default is one of the places that are searched. */
  readonly binaryPath: string | undefined;
  readonly serviceCluster: string;
  readonly drainDurationMs: number;
  readonly terminationDrainDurationMs: number;
  readonly discoveryAddress: string;
  readonly proxyAdminPort: number;
  readonly statusPort: number;
  /** Envoy's worker threads; 0 takes all CPUs, undefined was not said. */
  readonly concurrency: number | undefined;
  readonly controlPlaneAuthPolicy: "NONE" | "MUTUAL_TLS";
  readonly proxyMetadata: Readonly<Record<string, string>>;
  readonly customConfigFile: string | undefined;
  readonly proxyBootstrapTemplatePath: string | undefined;
}

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

/** A source of ProxyConfig fields. */
export interface ProxyConfigLayer {
  /** `PROXY_CONFIG`, or a file's path. */
  readonly source: string;
  readonly text: string;
  /** Path to the ProxyConfig inside the document. */
  readonly path: "" | "defaultConfig";
}

/** Lay `layers` over the defaults; each that cannot be read adds a problem. */
export function mergeProxyConfig(
  layers: readonly ProxyConfigLayer[],
  problems: ConfigProblem[],
): RawProxyConfig {
  let merged = defaults;
  for (const layer of layers) {
    const fields = readLayer(layer, problems);
    const metadata = { ...asMapping(merged["proxyMetadata"]), ...asMapping(fields["proxyMetadata"]) };
    merged = {
      ...merged,
      ...fields,
      ...(Object.keys(metadata).length === 0 ? {} : { proxyMetadata: metadata }),
    };
  }
  return merged;
}

function readLayer(layer: ProxyConfigLayer, problems: ConfigProblem[]): RawProxyConfig {
  if (layer.text.trim() === "") return {};
  const lines = new LineCounter();
  const document = parseDocument(layer.text, { lineCounter: lines, prettyErrors: false });
  const { source } = layer;
  if (document.errors.length > 0) {
    for (const error of document.errors) {
      const { line, col } = lines.linePos(error.pos[0]);
      problems.push({
        source,
        path: `line ${line}, column ${col}`,
        message: `not valid YAML: ${error.message}`,
      });
    }
    return {};
  }
  const root: unknown = document.toJS();
  const fields = layer.path === "" ? root : asMapping(root)[layer.path];
  if (fields === undefined || fields === null) return {};
  if (!isMapping(fields)) {
    problems.push({ source, path: layer.path, message: "must be a mapping of ProxyConfig fields" });
    return {};
  }
  return fields;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asMapping(value: unknown): Readonly<Record<string, unknown>> {
  return isMapping(value) ? value : {};
}

/** Check the fields that the agent acts on; problems name the field, `source` is the effective ProxyConfig. */
export function decodeProxyConfig(raw: RawProxyConfig, problems: ConfigProblem[]): ProxyConfig {
  const read = new FieldReader(raw, problems);
  const binaryPath = read.text("binaryPath");
  return {
    configPath: read.text("configPath") ?? "",
    binaryPath: binaryPath === defaults["binaryPath"] ? undefined : binaryPath,
    serviceCluster: read.text("serviceCluster") ?? "",
    drainDurationMs: read.durationMs("drainDuration", 1_000),
    terminationDrainDurationMs: read.durationMs("terminationDrainDuration", 0),
    discoveryAddress: read.address("discoveryAddress"),
    proxyAdminPort: read.port("proxyAdminPort", 1),
    statusPort: read.port("statusPort", 0),
    concurrency: read.count("concurrency"),
    controlPlaneAuthPolicy: read.authPolicy("controlPlaneAuthPolicy"),
    proxyMetadata: read.metadata("proxyMetadata"),
    customConfigFile: read.text("customConfigFile"),
    proxyBootstrapTemplatePath: read.text("proxyBootstrapTemplatePath"),
  };
}

class FieldReader {
  readonly #raw: RawProxyConfig;
  readonly #problems: ConfigProblem[];

  constructor(raw: RawProxyConfig, problems: ConfigProblem[]) {
    this.#raw = raw;
    this.#problems = problems;
  }

  text(name: string): string | undefined {
    const value = this.#raw[name];
    if (value === undefined || value === null || value === "") return undefined;
    if (typeof value === "string") return value;
    this.#refuse(name, value, "text");
    return undefined;
  }

  durationMs(name: string, leastMs: number): number {
    const value = this.#raw[name];
    const ms = typeof value === "string" ? parseDurationMs(value) : undefined;
    if (ms !== undefined && ms >= leastMs) return ms;
    this.#refuse(
      name,
      value,
      leastMs === 0 ? "a duration such as 5s" : `a duration of at least ${leastMs} ms, such as 45s`,
    );
    return leastMs;
  }

  port(name: string, least: number): number {
    const value = Number(this.#raw[name]);
    if (Number.isInteger(value) && value >= least && value <= 65_535) return value;
    this.#refuse(name, this.#raw[name], `a port from ${least} to 65535`);
    return least;
  }

  count(name: string): number | undefined {
    const value = this.#raw[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
    this.#refuse(name, value, "a whole number, 0 for all CPUs");
    return undefined;
  }

  address(name: string): string {
    const value = this.text(name) ?? "";
    const port = Number(/^.+:(\d+)$/.exec(value)?.[1]);
    if (port >= 1 && port <= 65_535) return value;
    this.#refuse(name, this.#raw[name], "host:port, such as istiod.istio-system.svc:15012");
    return "";
  }

  authPolicy(name: string): "NONE" | "MUTUAL_TLS" {
    const value = this.#raw[name];
    if (value === "NONE" || value === 0) return "NONE";
    if (value === "MUTUAL_TLS" || value === 1) return "MUTUAL_TLS";
    this.#refuse(name, value, "NONE or MUTUAL_TLS");
    return "MUTUAL_TLS";
  }

  metadata(name: string): Readonly<Record<string, string>> {
    const value = this.#raw[name] ?? {};
    if (!isMapping(value)) {
      this.#refuse(name, value, "a mapping of names to text");
      return {};
    }
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, String(entry)]));
  }

  #refuse(path: string, value: unknown, expected: string): void {
    this.#problems.push({
      source: "ProxyConfig",
      path,
      message: `${JSON.stringify(value) ?? "nothing"} is not ${expected}`,
    });
  }
}
