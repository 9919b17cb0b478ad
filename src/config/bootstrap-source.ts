/**
 * Which bootstrap Envoy gets: the release's template, a user's template, or a finished file.
 */
import { join } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import type { BootstrapParameters, Json } from "../bootstrap/parameters.ts";
import { statsPatterns, statsTags } from "../bootstrap/stats.ts";
import type { BootstrapSource, ConfigSources } from "./agent-config.ts";
import type { ConfigProblem } from "./config-problem.ts";
import type { Environment } from "./environment.ts";
import type { NodeDescription } from "./node.ts";
import { paths } from "./paths.ts";
import type { ProxyConfig } from "./proxy-config.ts";

/** What the choice is made from. */
export interface BootstrapChoice {
  readonly sources: ConfigSources;
  readonly env: Environment;
  readonly proxy: ProxyConfig;
  readonly node: NodeDescription;
  readonly isIPv6Only: boolean;
}

/** Runtime flags of Istio's sidecar (Envoy's runtime documentation). */
const runtimeFlags: Json = {
  "re2.max_program_size.error_level": "32768",
  "envoy.deprecated_features:envoy.config.listener.v3.Listener.hidden_envoy_deprecated_use_original_dst": true,
  "envoy.reloadable_features.http_reject_path_with_fragment": false,
  "envoy.reloadable_features.fixed_heap_use_allocated": true,
};

/** Undefined when a problem was added. */
export function chooseBootstrap(
  choice: BootstrapChoice,
  problems: ConfigProblem[],
): BootstrapSource | undefined {
  const { sources, env, proxy } = choice;
  if (env.ISTIO_BOOTSTRAP === "" && proxy.customConfigFile !== undefined) {
    const text = requiredFile(sources, proxy.customConfigFile, "ProxyConfig customConfigFile", problems);
    const bootstrap = text === undefined ? undefined : parseYaml(proxy.customConfigFile, text, problems);
    return bootstrap === undefined ? undefined : { kind: "custom", bootstrap };
  }
  const [path, from] = templateOf(choice);
  const text = requiredFile(sources, path, from, problems);
  const override = readOverride(choice, problems);
  if (text === undefined) return undefined;
  return { kind: "template", template: { source: path, text }, parameters: parameters(choice), override };
}

function templateOf({ sources, env, proxy }: BootstrapChoice): readonly [path: string, from: string] {
  if (env.ISTIO_BOOTSTRAP !== "") return [env.ISTIO_BOOTSTRAP, "ISTIO_BOOTSTRAP"];
  if (sources.flags.templateFile !== undefined) return [sources.flags.templateFile, "--templateFile"];
  if (proxy.proxyBootstrapTemplatePath !== undefined) {
    return [proxy.proxyBootstrapTemplatePath, "ProxyConfig proxyBootstrapTemplatePath"];
  }
  return [sources.templatePath, "the release's template"];
}

function requiredFile(
  sources: ConfigSources,
  path: string,
  from: string,
  problems: ConfigProblem[],
): string | undefined {
  const content = sources.readFile(path);
  if (content.kind === "read") return content.text;
  const why = content.kind === "missing" ? "does not exist" : `cannot be read: ${content.message}`;
  problems.push({ source: from, path: "", message: `${path} ${why}` });
  return undefined;
}

function readOverride({ sources, env }: BootstrapChoice, problems: ConfigProblem[]): Json | undefined {
  const path = env.ISTIO_BOOTSTRAP_OVERRIDE;
  if (path === "") return undefined;
  const text = requiredFile(sources, path, "ISTIO_BOOTSTRAP_OVERRIDE", problems);
  return text === undefined ? undefined : parseYaml(path, text, problems);
}

function parseYaml(source: string, text: string, problems: ConfigProblem[]): Json | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  for (const error of document.errors) {
    const { line, col } = lines.linePos(error.pos[0]);
    problems.push({
      source,
      path: `line ${line}, column ${col}`,
      message: `not valid YAML: ${error.message}`,
    });
  }
  if (document.errors.length > 0) return undefined;
  const value: unknown = document.toJS();
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  problems.push({ source, path: "", message: "must be a mapping of Envoy's bootstrap fields" });
  return undefined;
}

function parameters(choice: BootstrapChoice): Omit<BootstrapParameters, "adminSocketPath"> {
  const { sources, env, proxy, node } = choice;
  const [localhost, wildcard] = choice.isIPv6Only ? ["::1", "::"] : ["127.0.0.1", "0.0.0.0"];
  const metricsLocalOnly = proxy.proxyMetadata["METRICS_LOCALHOST_ACCESS_ONLY"] === "true";
  return {
    nodeId: node.id,
    nodeCluster: node.cluster,
    locality: node.locality,
    metadata: node.metadata,
    logAsJson: sources.flags.logAsJson,
    runtimeFlags,
    statsTags: statsTags(),
    statsPatterns: statsPatterns(),
    xdsSocketPath: join(proxy.configPath, "XDS"),
    sdsSocketPath: paths.sdsSocket,
    xdsApiType: env.ISTIO_DELTA_XDS ? "DELTA_GRPC" : "GRPC",
    localhost,
    wildcard,
    statsAddress: metricsLocalOnly ? localhost : wildcard,
    agentStatusPort: proxy.statusPort,
    envoyStatusPort: env.ENVOY_STATUS_PORT,
    prometheusPort: env.ENVOY_PROMETHEUS_PORT,
    maxDownstreamConnections: 2_147_483_647,
  };
}
