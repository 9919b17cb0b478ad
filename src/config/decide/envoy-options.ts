/**
 * Options of the Envoys that the agent starts.
 */
import { splitLogLevel } from "../../envoy/generation/arguments.ts";
import type { EnvoyOptions } from "../../envoy/generation/options.ts";
import type { ConfigSources } from "../sources/config-sources.ts";
import { compliantEnvironment } from "./compliance.ts";
import { concurrencyOf } from "./concurrency.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import type { Environment } from "../sources/environment.ts";
import { ownListeners } from "./known-ports.ts";
import { parentSlackMs } from "../sources/istio-flags.ts";
import type { ProxyFlags } from "../sources/proxy-flags.ts";
import { goDuration, longestUint32SecondsMs } from "../../schema/range.ts";
import type { ProxyConfig } from "../proxy-config/decode.ts";

/** What they are decided from. */
export interface EnvoyChoice {
  readonly sources: ConfigSources;
  readonly flags: ProxyFlags;
  readonly env: Environment;
  readonly proxy: ProxyConfig;
  readonly isIPv6Only: boolean;
}

/** Without a number of workers Envoy 1.37 and later heeds the quota of its cgroup, which whoever says 0 does not want. */
const everyCpu = { ENVOY_CGROUP_CPU_DETECTION: "false" };

/** Problems are added for what cannot be used, warnings for what is passed over. */
export function envoyOptions(
  { sources, flags, env, proxy, isIPv6Only }: EnvoyChoice,
  problems: ConfigProblem[],
  warnings: string[],
): EnvoyOptions {
  const logLevel = splitLogLevel(flags.proxyLogLevel);
  if (logLevel.dropped.length > 0) {
    warnings.push(
      `--proxyLogLevel: ${logLevel.dropped.join(", ")}: neither a level nor component:level; ignored`,
    );
  }
  const concurrency = concurrencyOf(
    {
      configured: proxy.concurrency,
      cpuLimit: env.ISTIO_CPU_LIMIT,
      cpus: sources.cpus,
      isKubernetes: env.KUBERNETES_SERVICE_HOST !== "",
    },
    warnings,
  );
  return {
    configPath: proxy.configPath,
    drainDurationMs: proxy.drainDurationMs,
    parentShutdownDurationMs: parentShutdownDuration(flags.parentShutdownDuration, proxy, problems, warnings),
    preDrainDelayMs: flags.preDrainDelay,
    terminationDrainDurationMs: proxy.terminationDrainDurationMs,
    exitOnZeroActiveConnections: env.EXIT_ON_ZERO_ACTIVE_CONNECTIONS,
    minimumDrainDurationMs: env.MINIMUM_DRAIN_DURATION,
    maximumDrainDurationMs: env.MAXIMUM_DRAIN_DURATION || undefined,
    // An application behind a sidecar may still call out while it stops; a gateway has none.
    drainInboundOnly: sources.proxyType === "sidecar",
    ownPorts: ownListeners(env).map(({ port }) => port),
    localAddressIpVersion: isIPv6Only ? "v6" : "v4",
    logLevel: logLevel.level,
    componentLogLevel: logLevel.components ?? (flags.proxyComponentLogLevel || undefined),
    skipDeprecatedLogs: env.ENVOY_SKIP_DEPRECATED_LOGS,
    fileFlushIntervalMs: proxy.fileFlushIntervalMs,
    fileFlushMinSizeKb: proxy.fileFlushMinSizeKb,
    environment: {
      ...compliantEnvironment(env.COMPLIANCE_POLICY, problems),
      ...(concurrency === "all" ? everyCpu : {}),
    },
    enableCoreDump: env.ISTIO_ENVOY_ENABLE_CORE_DUMP,
    concurrency: concurrency === "all" ? undefined : concurrency,
  };
}

function parentShutdownDuration(
  flag: number | undefined,
  proxy: ProxyConfig,
  problems: ConfigProblem[],
  warnings: string[],
): number {
  const { drainDurationMs } = proxy;
  const usual = drainDurationMs + parentSlackMs;
  if (flag !== undefined) {
    if (flag > drainDurationMs && flag <= longestUint32SecondsMs) return flag;
    problems.push({
      source: "--parentShutdownDuration",
      path: "",
      message: `${goDuration(flag)} is not a duration longer than drainDuration (${goDuration(drainDurationMs)}) and below ${longestUint32SecondsMs / 3_600_000} h`,
    });
    return usual;
  }
  const configured = proxy.parentShutdownDurationMs;
  if (configured === undefined) return usual;
  if (configured > drainDurationMs) return configured;
  // Whoever set it once for Istio may set a longer drain today: nothing there reads it any more.
  warnings.push(
    `ProxyConfig: parentShutdownDuration: ${configured} ms is not longer than drainDuration ` +
      `(${drainDurationMs} ms); using ${usual} ms`,
  );
  return usual;
}
