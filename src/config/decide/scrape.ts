/**
 * What the merged metrics are made of: Envoy, and applications as Istio's injector names them in a variable, as the pod's
 * annotations do, and as our own setting does.
 */
import { jsonValue } from "../../document/json.ts";
import { configurationLimits } from "../../document/limits.ts";
import { isMapping } from "../../document/mapping.ts";
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";
import { parseGoBoolean } from "../../schema/go-boolean.ts";
import type { ScrapeOptions, ScrapeTarget } from "../../scrape/options.ts";
import type { Environment } from "../sources/environment.ts";
import { paths } from "../sources/paths.ts";
import type { ProxyFlags } from "../sources/proxy-flags.ts";
import { parseScrapeTargets, scrapeTarget } from "../sources/scrape-targets.ts";

/** What decides. */
export interface ScrapeSources {
  readonly env: Environment;
  readonly flags: Pick<
    ProxyFlags,
    | "metricsTargets"
    | "metricsTimeout"
    | "metricsMaxBytes"
    | "metricsMaxSeries"
    | "metricsDrop"
    | "metricsKeep"
  >;
  readonly annotations: Readonly<Record<string, string>>;
  /** Node metadata ENABLE_PROMETHEUS_MERGE. */
  readonly merge: unknown;
  readonly proxyType: string;
  readonly statusPort: number;
}

/** Ports of the agent and of Envoy's own listeners: what answers there is no application. */
const reservedPorts: readonly number[] = [
  15_000, 15_001, 15_004, 15_006, 15_008, 15_020, 15_021, 15_053, 15_090,
];

/** Everything that cannot be used is a problem. */
export function scrapeOptions(sources: ScrapeSources, problems: ConfigProblem[]): ScrapeOptions {
  const { env, flags, proxyType, statusPort } = sources;
  const named = proxyType === "sidecar" ? namedTargets(sources, problems) : [];
  const checked = [
    ...named,
    ...flags.metricsTargets.map((target) => ({ source: "--metricsTargets", target })),
  ];
  for (const { source, target } of checked) {
    const { port } = target;
    if (port !== statusPort && !reservedPorts.includes(port)) continue;
    const whose = port === statusPort ? "the status port" : "reserved for the sidecar";
    problems.push({ source, path: "", message: `port ${port} is ${whose}: name one of the application` });
  }
  const targets = new Map(checked.map(({ target }) => [`${target.port}${target.path}`, target]));
  return {
    mergesEnvoy: !env.DISABLE_ENVOY && env.PILOT_AGENT_MERGE_ENVOY_STATS,
    targets: [...targets.values()],
    timeoutMs: flags.metricsTimeout,
    maxBytes: flags.metricsMaxBytes,
    maxSeries: flags.metricsMaxSeries,
    drop: flags.metricsDrop,
    keep: flags.metricsKeep,
  };
}

interface NamedTarget {
  readonly source: string;
  readonly target: ScrapeTarget;
}

/** Istio's injector moves the pod's annotations to the variable, and puts its own in their place. */
function namedTargets(sources: ScrapeSources, problems: ConfigProblem[]): readonly NamedTarget[] {
  const isMerged = typeof sources.merge === "string" ? parseGoBoolean(sources.merge) : sources.merge;
  if (isMerged === false) return [];
  const injected = sources.env.ISTIO_PROMETHEUS_ANNOTATIONS;
  if (injected !== undefined && injected !== "") return injectedTargets(injected, problems);
  return isMerged === true ? annotatedTargets(sources, problems) : [];
}

const variable = "ISTIO_PROMETHEUS_ANNOTATIONS";

function injectedTargets(text: string, problems: ConfigProblem[]): readonly NamedTarget[] {
  const value = jsonValue(text, configurationLimits);
  if (!isMapping(value)) {
    problems.push({ source: variable, path: "", message: 'is not JSON such as {"port": "8080"}' });
    return [];
  }
  if (value["scrape"] === "false") return [];
  const { targets: list = [] } = value;
  const given = Array.isArray(list) && list.length > 0 ? list : [{ ...value, port: value["port"] || "80" }];
  return given.flatMap((entry: unknown, index) => {
    const { port, path } = isMapping(entry) ? entry : {};
    const target = scrapeTarget(textOf(port), textOf(path));
    if (target !== undefined) return [{ source: variable, target }];
    const where = given === list ? `targets[${index}]` : "";
    problems.push({
      source: variable,
      path: where,
      message: `port ${shown(textOf(port))} with path ${shown(textOf(path))} is no place of metrics`,
    });
    return [];
  });
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** Of a pod that another injector has made, or none: port and path of Prometheus, or Istio's list. */
function annotatedTargets(
  { annotations, statusPort }: ScrapeSources,
  problems: ConfigProblem[],
): readonly NamedTarget[] {
  const list = "prometheus.istio.io/scrape-targets";
  const sourceOf = (name: string): string => `${paths.podAnnotations}: ${name}`;
  if (annotations["prometheus.istio.io/merge-metrics"] === "false") return [];
  const listed = annotations[list];
  if (listed !== undefined && listed !== "") {
    const targets = parseScrapeTargets(listed);
    if (targets === undefined)
      problems.push({
        source: sourceOf(list),
        path: "",
        message: `${shown(listed)} is not a list such as 8080:/metrics,9090`,
      });
    return (targets ?? []).map((target) => ({ source: sourceOf(list), target }));
  }
  if (annotations["prometheus.io/scrape"] !== "true") return [];
  const port = annotations["prometheus.io/port"] || "80";
  // Who sends Prometheus to the agent names no application.
  if (Number(port) === statusPort) return [];
  const target = scrapeTarget(port, annotations["prometheus.io/path"] ?? "");
  if (target === undefined) {
    problems.push({
      source: sourceOf("prometheus.io/port"),
      path: "",
      message: `${shown(port)} with path ${shown(annotations["prometheus.io/path"] ?? "")} is no place of metrics`,
    });
    return [];
  }
  return [{ source: sourceOf("prometheus.io/port"), target }];
}
