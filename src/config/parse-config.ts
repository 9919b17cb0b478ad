/**
 * Flags, environment, mesh config, PROXY_CONFIG and pod info become one AgentConfig, or every problem at once.
 */
import { resolve } from "node:path";
import { grpcBootstrap } from "../bootstrap/grpc-bootstrap.ts";
import { resolveStatsd } from "./decide/statsd.ts";
import { formatHostPort, parseHostPort } from "../net/host-port.ts";
import { addressFamilies, instanceAddresses } from "./sources/addresses.ts";
import type { AgentConfig } from "./agent-config.ts";
import type { ConfigSources } from "./sources/config-sources.ts";
import { appProbesOptions } from "./decide/app-probes.ts";
import { applicationSocket } from "./decide/application-socket.ts";
import { chooseBootstrap } from "./decide/bootstrap-source.ts";
import { ConfigError, type ConfigProblem, shown } from "../schema/config-problem.ts";
import { contentCheck, providerNotices } from "./decide/credentials.ts";
import { discoveryOptions } from "./decide/control-plane.ts";
import { runtimeFolder } from "./runtime-folder.ts";
import { readEffectiveConfig } from "./proxy-config/effective-config.ts";
import { dnsOptions } from "./decide/dns.ts";
import { envoyOptions } from "./decide/envoy-options.ts";
import { identityParts } from "./decide/identity.ts";
import { outputCertsOptions } from "./decide/identity-source.ts";
import { knownPorts } from "./decide/known-ports.ts";
import { isLoopback } from "../net/loopback.ts";
import { logConfig } from "./decide/log-options.ts";
import { describeNode } from "./decide/node.ts";
import { otlpOptions } from "./decide/otlp.ts";
import { flagNotices } from "./sources/pilot-flags.ts";
import { proxyConfigMetadata } from "./proxy-config/metadata.ts";
import { scrapeOptions } from "./decide/scrape.ts";
import { supervisionOptions } from "./decide/supervision.ts";
import { wasmOptions } from "./decide/wasm.ts";
import { workloadHealthOptions } from "./decide/workload-health.ts";
import { xdsOptions } from "./decide/xds.ts";

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
  const { proxyType } = sources;
  if (!proxyTypes.includes(proxyType)) {
    problems.push({
      source: "proxy",
      path: "",
      message: `proxy type ${shown(proxyType)} is not supported: use ${proxyTypes.join(", ")}`,
    });
  }
  const {
    flags,
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
  if (addresses.every(isLoopback) && env.INSTANCE_IP === "") {
    warnings.push(
      "this pod has no address but loopback: set INSTANCE_IP to the one by which others reach it",
    );
  }
  const families = addressFamilies(addresses, env.ISTIO_DUAL_STACK);
  const statsd = resolveStatsd(proxy.statsdUdpAddress, { env, resolve: sources.resolve }, warnings);
  const domain = flags.domain || `${env.POD_NAMESPACE}.svc.cluster.local`;
  const node = describeNode(
    {
      proxyType,
      addresses,
      parsed: env,
      id: flags.pilot.id || undefined,
      domain,
      env: sources.env,
      proxyMetadata: proxy.proxyMetadata,
      proxyConfig: proxyConfigMetadata({
        ...merged.fields,
        statsdUdpAddress: statsd && formatHostPort(statsd),
      }),
      serviceCluster: proxy.serviceCluster,
      tracingServiceName: proxy.tracingServiceName,
      labels,
      annotations,
      version: sources.version,
      outlierLogPath: flags.outlierLogPath,
      stsPort: flags.stsPort,
      platform: sources.platform,
      sdsSockets: sources.sdsSockets,
      discoveryHost:
        proxy.controlPlaneAuthPolicy === "MUTUAL_TLS"
          ? parseHostPort(proxy.discoveryAddress)?.host
          : undefined,
    },
    problems,
    warnings,
  );
  const log = logConfig(flags, problems);
  const bootstrap = chooseBootstrap(
    { sources, flags, env, proxy, merged, node, families, addresses, annotations, statsd },
    problems,
    warnings,
  );
  const capturesNothing = node.metadata["INTERCEPTION_MODE"] === "NONE" || proxyType !== "sidecar";
  const ports = knownPorts(env, proxy, capturesNothing, problems);
  const place = {
    addresses,
    local: sources.interfaces.map(({ address }) => address),
    isCaptured: !capturesNothing && !env.DISABLE_ENVOY,
  };
  const workloadHealth = workloadHealthOptions(merged, place, problems);
  const appProbes = appProbesOptions(
    env,
    { ...place, localhost: families.localhost, statusPort: proxy.statusPort },
    problems,
  );
  const clusterId = node.metadata["CLUSTER_ID"];
  const controlPlane = {
    env: { parsed: env, all: sources.env },
    proxy,
    hasContent: contentCheck(given.readFile),
    clusterId: typeof clusterId === "string" ? clusterId : undefined,
  };
  const { identity, sds } = identityParts({ sources: given, flags }, controlPlane, node.id, problems);
  const upstream = discoveryOptions(controlPlane, problems);
  const envoy = envoyOptions(
    { sources, flags, env, proxy, isIPv6Only: families.isIPv6Only },
    problems,
    warnings,
  );
  const supervision = supervisionOptions(flags);
  const xds = xdsOptions({ flags, node, upstream, configPath: proxy.configPath });
  const wasm = wasmOptions(env, flags.wasmFolder, problems);
  const dns = dnsOptions({ env, flags, node, proxyType, domain }, problems);
  const scrape = scrapeOptions(
    {
      ...{ env, flags, annotations, proxyType },
      merge: node.metadata["ENABLE_PROMETHEUS_MERGE"],
      statusPort: proxy.statusPort,
    },
    problems,
  );
  const application = applicationSocket(flags, proxy.configPath);
  const outputCerts = outputCertsOptions(env, flags);
  const otlp = otlpOptions(env, { version: sources.version, nodeId: node.id }, warnings);
  if (problems.length > 0 || bootstrap === undefined) throw new ConfigError(problems);

  return {
    log,
    warnings,
    nodeId: node.id,
    announcement: {
      folder: runtimeFolder(flags.runtimeFolder, sources.env, process.getuid?.() ?? 0),
      statusPort: proxy.statusPort,
      adminPort: proxy.proxyAdminPort,
      envoyStatusPort: env.ENVOY_STATUS_PORT,
      configPath: resolve(sources.workingDirectory, proxy.configPath),
    },
    bootstrap,
    envoy,
    supervision,
    files: [...files],
    envoyBinary: {
      binaryPath: flags.binaryPath ?? proxy.binaryPath,
      envoyPath: env.ENVOY_PATH === "" ? undefined : env.ENVOY_PATH,
    },
    identity,
    outputCerts,
    sds,
    // The application has a user of its own.
    xds: env.DISABLE_ENVOY ? { ...xds, mode: 0o666 } : xds,
    wasm,
    dns,
    status: {
      // The IPv6 any-address takes IPv4 as well.
      host: families.dnsLookupFamily === "V4_ONLY" ? "0.0.0.0" : "::",
      port: proxy.statusPort,
      metricsLocalOnly: env.METRICS_LOCALHOST_ACCESS_ONLY,
      profiling: flags.profiling,
    },
    scrape,
    otlp,
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
    appProbes,
  };
}
