/**
 * Flags, environment, mesh config, PROXY_CONFIG and pod info become one AgentConfig, or every problem at once.
 */
import { grpcBootstrap } from "../bootstrap/grpc-bootstrap.ts";
import type { Json } from "../bootstrap/parameters.ts";
import { splitLogLevel } from "../envoy/generation/arguments.ts";
import type { EnvoyOptions } from "../envoy/options.ts";
import { addressFamilies, instanceAddresses } from "./addresses.ts";
import type { AgentConfig, ConfigSources, KnownPort } from "./agent-config.ts";
import { applicationSocket } from "./application-socket.ts";
import { chooseBootstrap } from "./bootstrap-source.ts";
import { compliantEnvironment } from "./compliance.ts";
import { ConfigError, type ConfigProblem } from "./config-problem.ts";
import { contentCheck, providerNotices } from "./credentials.ts";
import { discoveryOptions } from "./control-plane.ts";
import { flagDurationMs, parseDurationMs } from "./duration.ts";
import { readEffectiveConfig } from "./effective-config.ts";
import type { Environment } from "./environment.ts";
import { identityParts } from "./identity.ts";
import { outputCertsOptions } from "./identity-source.ts";
import { parseLogLevels } from "./log-options.ts";
import { describeNode } from "./node.ts";
import { flagNotices } from "./pilot-flags.ts";
import { type ProxyConfig, proxyConfigMetadata } from "./proxy-config.ts";
import { supervisionOptions } from "./supervision.ts";
import { wasmOptions } from "./wasm.ts";
import { workloadHealthOptions } from "./workload-health.ts";
import { xdsOptions } from "./xds.ts";

/** What an Envoy can be run as. */
const proxyTypes: readonly string[] = ["sidecar", "router", "waypoint"];

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
  const { flags } = sources;
  if (!proxyTypes.includes(flags.proxyType)) {
    problems.push({
      source: "proxy",
      path: "",
      message: `proxy type ${JSON.stringify(flags.proxyType)} is not supported: use ${proxyTypes.join(", ")}`,
    });
  }
  const {
    env,
    labels,
    annotations = {},
    merged,
    proxy,
    ...effective
  } = readEffectiveConfig(sources, problems);
  const warnings = [...flagNotices(flags.pilot), ...effective.warnings, ...providerNotices(env)];
  const addresses = instanceAddresses({
    instanceIp: env.INSTANCE_IP || (flags.pilot.ip ?? ""),
    interfaces: sources.interfaces,
    excluded: (annotations["traffic.sidecar.istio.io/excludeInterfaces"] ?? "")
      .split(",")
      .map((name) => name.trim()),
  });
  const families = addressFamilies(addresses, env.ISTIO_DUAL_STACK);
  const { isIPv6Only } = families;
  const node = describeNode(
    {
      proxyType: flags.proxyType,
      addresses,
      parsed: env,
      id: flags.pilot.id,
      domain: flags.domain || `${env.POD_NAMESPACE}.svc.cluster.local`,
      env: sources.env,
      proxyMetadata: proxy.proxyMetadata,
      proxyConfig: proxyConfigMetadata(merged.fields) as Json,
      serviceCluster: proxy.serviceCluster || flags.serviceCluster,
      tracingServiceName: proxy.tracingServiceName,
      labels,
      annotations,
      version: sources.version,
      outlierLogPath: flags.outlierLogPath,
      stsPort: flags.stsPort,
      platform: sources.platform,
      sdsSockets: sources.sdsSockets,
      discoveryHost:
        proxy.controlPlaneAuthPolicy === "MUTUAL_TLS" ? hostOf(proxy.discoveryAddress) : undefined,
    },
    problems,
    warnings,
  );
  const levels = parseLogLevels(flags.logOutputLevel, problems);
  const bootstrap = chooseBootstrap(
    { sources, env, proxy, node, families, addresses, annotations },
    problems,
    warnings,
  );
  const capturesNothing = node.metadata["INTERCEPTION_MODE"] === "NONE" || flags.proxyType !== "sidecar";
  const ports = knownPorts(env, proxy, capturesNothing, problems);
  const workloadHealth = workloadHealthOptions(
    merged,
    { addresses, isCaptured: !capturesNothing && !env.DISABLE_ENVOY },
    problems,
  );
  const clusterId = node.metadata["CLUSTER_ID"];
  const controlPlane = {
    env: { parsed: env, all: sources.env },
    proxy,
    hasContent: contentCheck(given.readFile),
    clusterId: typeof clusterId === "string" ? clusterId : undefined,
  };
  const { identity, sds } = identityParts(
    given,
    controlPlane,
    { raw: merged.fields, nodeId: node.id },
    problems,
  );
  const upstream = discoveryOptions(controlPlane, problems);
  const envoy = envoyOptions(sources, env, proxy, isIPv6Only, problems);
  const supervision = supervisionOptions(flags.supervision, problems);
  const preDrainDelayMs = flagDurationMs("--preDrainDelay", flags.preDrainDelay, problems);
  const xds = xdsOptions({ flags, env, node, upstream, configPath: proxy.configPath }, problems);
  const wasm = wasmOptions({ parsed: env, all: sources.env }, flags.wasmFolder, problems);
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
    // The application has a user of its own.
    xds: env.DISABLE_ENVOY ? { ...xds, mode: 0o666 } : xds,
    wasm,
    status: {
      // The IPv6 any-address takes IPv4 as well.
      host: families.dnsLookupFamily === "V4_ONLY" ? "0.0.0.0" : "::",
      port: proxy.statusPort,
      metricsLocalOnly: env.METRICS_LOCALHOST_ACCESS_ONLY,
    },
    admin: { host: families.localhost, port: proxy.proxyAdminPort },
    knownPorts: env.DISABLE_ENVOY ? ports.filter(({ port }) => port === proxy.statusPort) : ports,
    proxyless: env.DISABLE_ENVOY
      ? {
          bootstrapPath: env.GRPC_XDS_BOOTSTRAP || undefined,
          bootstrap: grpcBootstrap({
            node,
            xdsSocketPath: xds.path,
            certificates: env.OUTPUT_CERTS || undefined,
            workingDirectory: sources.workingDirectory,
          }),
        }
      : undefined,
    application,
    workloadHealth,
  };
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
    // An application behind a sidecar may still call out while it stops; a gateway has none.
    drainInboundOnly: flags.proxyType === "sidecar",
    ownPorts: ownListeners(env).map(({ port }) => port),
    localAddressIpVersion: isIPv6Only ? "v6" : "v4",
    logLevel: logLevel.level,
    componentLogLevel: logLevel.components ?? (flags.proxyComponentLogLevel || undefined),
    skipDeprecatedLogs: env.ENVOY_SKIP_DEPRECATED_LOGS,
    fileFlushIntervalMs: proxy.fileFlushIntervalMs,
    fileFlushMinSizeKb: proxy.fileFlushMinSizeKb,
    environment: compliantEnvironment(env.COMPLIANCE_POLICY, problems),
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
  const ms =
    text === undefined
      ? (proxy.parentShutdownDurationMs ?? proxy.drainDurationMs + parentSlackMs)
      : parseDurationMs(text);
  if (ms !== undefined && ms > proxy.drainDurationMs) return ms;
  problems.push({
    source: "--parentShutdownDuration",
    path: "",
    message: `${JSON.stringify(text)} is not a duration longer than drainDuration (${proxy.drainDurationMs} ms)`,
  });
  return proxy.drainDurationMs + parentSlackMs;
}

/** The bootstrap's own listeners. */
function ownListeners(env: Environment): readonly KnownPort[] {
  const names = [
    "ENVOY_STATUS_PORT",
    "ENVOY_PROMETHEUS_PORT",
    "ENVOY_SECURE_METRICS_PORT",
    "ENVOY_SECURE_MERGED_METRICS_PORT",
  ] as const;
  return names.map((name) => ({ port: env[name], purpose: name })).filter(({ port }) => port !== 0);
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
    ...ownListeners(env),
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
