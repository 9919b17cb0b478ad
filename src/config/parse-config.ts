/**
 * Flags, environment, mesh config, PROXY_CONFIG and pod info become one AgentConfig, or every problem at once.
 */
import { isIPv6 } from "node:net";
import { splitLogLevel } from "../envoy/generation/arguments.ts";
import type { EnvoyOptions } from "../envoy/options.ts";
import type { AgentConfig, ConfigSources, KnownPort } from "./agent-config.ts";
import { applicationSocket } from "./application-socket.ts";
import { chooseBootstrap } from "./bootstrap-source.ts";
import { ConfigError, type ConfigProblem } from "./config-problem.ts";
import { discoveryOptions } from "./control-plane.ts";
import { flagDurationMs, parseDurationMs } from "./duration.ts";
import { type Environment, readEnvironment } from "./environment.ts";
import { identityParts } from "./identity.ts";
import { outputCertsOptions } from "./identity-source.ts";
import { parseLogLevels } from "./log-options.ts";
import { proxyConfigLayers, readPodInfo } from "./layers.ts";
import { describeNode } from "./node.ts";
import { paths } from "./paths.ts";
import { decodeProxyConfig, mergeProxyConfig, type ProxyConfig } from "./proxy-config.ts";
import { supervisionOptions } from "./supervision.ts";
import { xdsOptions } from "./xds.ts";

/** @throws ConfigError with every problem */
export function parseConfig(given: ConfigSources): AgentConfig {
  const problems: ConfigProblem[] = [];
  const files = new Set<string>();
  const sources: ConfigSources = {
    ...given,
    readFile: (path) => {
      files.add(path);
      return given.readFile(path);
    },
  };
  const warnings: string[] = [];
  const { flags } = sources;
  if (flags.proxyType !== "sidecar") {
    problems.push({
      source: "proxy",
      path: "",
      message: `proxy type ${JSON.stringify(flags.proxyType)} is not supported: use sidecar`,
    });
  }
  const env = readEnvironment(sources.env, warnings);
  const labels = readPodInfo(sources, paths.podLabels, problems);
  const annotations = readPodInfo(sources, paths.podAnnotations, problems);
  const layers = proxyConfigLayers(
    sources,
    { meshConfig: flags.meshConfig, proxyConfig: env.PROXY_CONFIG, annotations },
    problems,
  );
  const raw = mergeProxyConfig(layers, problems);
  const proxy = decodeProxyConfig(raw, problems);
  const addresses = instanceAddresses(env.INSTANCE_IP, sources.interfaceAddresses);
  const isIPv6Only = addresses.every((address) => isIPv6(address));
  const node = describeNode(
    {
      proxyType: flags.proxyType,
      addresses,
      podName: env.POD_NAME,
      namespace: env.POD_NAMESPACE,
      serviceAccount: env.SERVICE_ACCOUNT,
      domain: flags.domain ?? `${env.POD_NAMESPACE}.svc.cluster.local`,
      env: sources.env,
      proxyMetadata: proxy.proxyMetadata,
      proxyConfig: raw,
      serviceCluster: proxy.serviceCluster || flags.serviceCluster,
      labels,
      annotations,
      version: sources.version,
      envoyStatusPort: env.ENVOY_STATUS_PORT,
      envoyPrometheusPort: env.ENVOY_PROMETHEUS_PORT,
      discoveryHost:
        proxy.controlPlaneAuthPolicy === "MUTUAL_TLS" ? hostOf(proxy.discoveryAddress) : undefined,
    },
    problems,
  );
  const levels = parseLogLevels(flags.logOutputLevel, problems);
  const bootstrap = chooseBootstrap({ sources, env, proxy, node, isIPv6Only }, problems);
  const ports = knownPorts(env, proxy, node.metadata["INTERCEPTION_MODE"] === "NONE", problems);
  const clusterId = node.metadata["CLUSTER_ID"];
  const controlPlane = {
    env: { parsed: env, all: sources.env },
    proxy,
    clusterId: typeof clusterId === "string" ? clusterId : undefined,
  };
  const { identity, sds } = identityParts(given, controlPlane, raw, problems);
  const upstream = discoveryOptions(controlPlane);
  const envoy = envoyOptions(sources, env, proxy, isIPv6Only, problems);
  const supervision = supervisionOptions(flags.supervision, problems);
  const preDrainDelayMs = flagDurationMs("--preDrainDelay", flags.preDrainDelay, problems);
  const xds = xdsOptions({ flags, env, node, upstream, configPath: proxy.configPath }, problems);
  const application = applicationSocket(flags, proxy.configPath, problems);
  if (problems.length > 0 || bootstrap === undefined) throw new ConfigError(problems);

  return {
    log: { json: flags.logAsJson, levels },
    warnings,
    nodeId: node.id,
    bootstrap,
    envoy: { ...envoy, preDrainDelayMs },
    supervision,
    files: [...files],
    envoyBinary: {
      binaryPath: flags.binaryPath ?? proxy.binaryPath,
      envoyPath: env.ENVOY_PATH === "" ? undefined : env.ENVOY_PATH,
    },
    identity,
    outputCerts: outputCertsOptions(env, sources.env, flags.identity),
    sds,
    xds,
    status: {
      host: isIPv6Only ? "::" : "0.0.0.0",
      port: proxy.statusPort,
      metricsLocalOnly: env.METRICS_LOCALHOST_ACCESS_ONLY,
    },
    admin: { host: isIPv6Only ? "::1" : "127.0.0.1", port: proxy.proxyAdminPort },
    knownPorts: ports,
    application,
  };
}

function instanceAddresses(instanceIp: string, interfaces: readonly string[]): readonly string[] {
  const addresses = [...new Set([...(instanceIp === "" ? [] : [instanceIp]), ...interfaces])];
  return addresses.length === 0 ? ["127.0.0.1"] : addresses;
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
}

function envoyOptions(
  sources: ConfigSources,
  env: Environment,
  proxy: ProxyConfig,
  isIPv6Only: boolean,
  problems: ConfigProblem[],
): Omit<EnvoyOptions, "preDrainDelayMs"> {
  const { flags } = sources;
  const logLevel = splitLogLevel(flags.proxyLogLevel);
  const limit = env.ISTIO_CPU_LIMIT > 0 ? env.ISTIO_CPU_LIMIT : undefined;
  const concurrency = flags.concurrency || (proxy.concurrency ?? limit);
  return {
    configPath: proxy.configPath,
    drainDurationMs: proxy.drainDurationMs,
    parentShutdownDurationMs: parentShutdownDuration(flags.parentShutdownDuration, proxy, problems),
    terminationDrainDurationMs: proxy.terminationDrainDurationMs,
    exitOnZeroActiveConnections: env.EXIT_ON_ZERO_ACTIVE_CONNECTIONS,
    minimumDrainDurationMs: env.MINIMUM_DRAIN_DURATION,
    maximumDrainDurationMs: env.MAXIMUM_DRAIN_DURATION || undefined,
    drainInboundOnly: true,
    ownPorts: [env.ENVOY_STATUS_PORT, env.ENVOY_PROMETHEUS_PORT],
    localAddressIpVersion: isIPv6Only ? "v6" : "v4",
    logLevel: logLevel.level,
    componentLogLevel: logLevel.components ?? (flags.proxyComponentLogLevel || undefined),
    skipDeprecatedLogs: env.ENVOY_SKIP_DEPRECATED_LOGS,
    enableCoreDump: env.ISTIO_ENVOY_ENABLE_CORE_DUMP,
    concurrency: concurrency === 0 ? undefined : concurrency,
  };
}

/** Beyond the drain, for connections that heed it late. */
const parentSlackMs = 15_000;

function parentShutdownDuration(
  text: string | undefined,
  proxy: ProxyConfig,
  problems: ConfigProblem[],
): number {
  const ms = text === undefined ? proxy.drainDurationMs + parentSlackMs : parseDurationMs(text);
  if (ms !== undefined && ms > proxy.drainDurationMs) return ms;
  problems.push({
    source: "--parentShutdownDuration",
    path: "",
    message: `${JSON.stringify(text)} is not a duration longer than drainDuration (${proxy.drainDurationMs} ms)`,
  });
  return proxy.drainDurationMs + parentSlackMs;
}

/** The ports of the agent and its Envoy; two uses of one port are a problem. */
function knownPorts(
  env: Environment,
  proxy: ProxyConfig,
  capturesNothing: boolean,
  problems: ConfigProblem[],
): readonly KnownPort[] {
  const ports: KnownPort[] = [
    { port: proxy.proxyAdminPort, purpose: "ProxyConfig proxyAdminPort" },
    { port: proxy.statusPort, purpose: "ProxyConfig statusPort" },
    { port: env.ENVOY_STATUS_PORT, purpose: "ENVOY_STATUS_PORT" },
    { port: env.ENVOY_PROMETHEUS_PORT, purpose: "ENVOY_PROMETHEUS_PORT" },
    ...(capturesNothing
      ? []
      : [
          { port: 15001, purpose: "outbound capture" },
          { port: 15006, purpose: "inbound capture" },
        ]),
  ];
  const uses = Map.groupBy(
    ports.filter(({ port }) => port !== 0),
    ({ port }) => port,
  );
  for (const [port, users] of uses) {
    if (users.length < 2) continue;
    const purposes = users.map(({ purpose }) => purpose).join(" and ");
    problems.push({
      source: "ports",
      path: String(port),
      message: `${purposes} are the same port: change one`,
    });
  }
  return ports;
}
