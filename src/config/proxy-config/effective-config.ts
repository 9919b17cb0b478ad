/**
 * The effective ProxyConfig: every source read, laid together and decoded. Whoever needs a part of the configuration
 * reads it here, so that all of them agree.
 */
import type { ConfigSources } from "../sources/config-sources.ts";
import { type ProxyFlags, readProxyFlags } from "../sources/proxy-flags.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import { type Environment, readEnvironment } from "../sources/environment.ts";
import { flagLayers, proxyConfigLayers } from "./layers.ts";
import { type PodValues, readPodInfo } from "../sources/pod-info.ts";
import { paths } from "../sources/paths.ts";
import type { PilotFlagValues } from "../sources/pilot-flags.ts";
import { decodeProxyConfig, type ProxyConfig } from "./decode.ts";
import { mergeProxyConfig, type MergedProxyConfig, type ProxyConfigLayer } from "./merge.ts";
import { checkServices } from "./service-checks.ts";

/** What the sources say. */
export interface EffectiveConfig {
  readonly flags: ProxyFlags;
  readonly env: Environment;
  readonly labels: PodValues;
  readonly annotations: PodValues;
  readonly merged: MergedProxyConfig;
  readonly proxy: ProxyConfig;
  readonly warnings: readonly string[];
}

/** Read everything; every problem is added to `problems`, and what cannot be used counts as its default. */
export function readEffectiveConfig(
  sources: Pick<ConfigSources, "env" | "flags" | "readFile">,
  problems: ConfigProblem[],
): EffectiveConfig {
  const warnings: string[] = [];
  const flags = readProxyFlags(sources, problems);
  const env = withTrustDomain(readEnvironment(sources.env, warnings, problems), sources.env, flags.pilot);
  const labels = readPodInfo(sources, paths.podLabels, problems);
  const annotations = readPodInfo(sources, paths.podAnnotations, problems);
  const layers = [
    ...drainSeconds(env),
    ...cpuLimit(env),
    ...proxyConfigLayers(
      sources,
      { meshConfig: flags.meshConfig, proxyConfig: env.PROXY_CONFIG, annotations },
      problems,
    ),
    ...flagLayers(flags.pilot),
    ...currentFlags(flags),
  ];
  const merged = withServiceCluster(mergeProxyConfig(layers, problems), flags.serviceCluster);
  const proxy = decodeProxyConfig(merged, problems);
  warnings.push(...merged.warnings);
  checkServices(merged, problems, warnings);
  return { flags, env, labels, annotations, merged, proxy, warnings };
}

/** Istio 1.5's way to say the trust domain: weaker than the variable. */
function withTrustDomain(
  parsed: Environment,
  given: ConfigSources["env"],
  { "trust-domain": trustDomain }: PilotFlagValues,
): Environment {
  if (given["TRUST_DOMAIN"] !== undefined || trustDomain === undefined || trustDomain === "") return parsed;
  return { ...parsed, TRUST_DOMAIN: trustDomain };
}

/** Istio 1.5's way to say terminationDrainDuration: weaker than any ProxyConfig. */
function drainSeconds(env: Environment): readonly ProxyConfigLayer[] {
  const seconds = env.TERMINATION_DRAIN_DURATION_SECONDS;
  if (seconds < 0) return [];
  return [
    { source: "TERMINATION_DRAIN_DURATION_SECONDS", fields: { terminationDrainDuration: `${seconds}s` } },
  ];
}

/** Workers where nobody asks for a number of them. */
function cpuLimit({ ISTIO_CPU_LIMIT: limit }: Environment): readonly ProxyConfigLayer[] {
  return limit === 0 ? [] : [{ source: "ISTIO_CPU_LIMIT", fields: { concurrency: limit } }];
}

/** Flags over every other source; a concurrency of 0 was not said. */
function currentFlags({ concurrency = 0, templateFile }: ProxyFlags): readonly ProxyConfigLayer[] {
  return [
    ...(concurrency === 0 ? [] : [{ source: "--concurrency", fields: { concurrency } }]),
    ...(templateFile === undefined
      ? []
      : [{ source: "--templateFile", fields: { proxyBootstrapTemplatePath: templateFile } }]),
  ];
}

/** The flag's, where ProxyConfig has an empty one: with none it has Istio's default. */
function withServiceCluster(merged: MergedProxyConfig, flag: string): MergedProxyConfig {
  if (merged.fields["serviceCluster"] !== "") return merged;
  return {
    ...merged,
    fields: { ...merged.fields, serviceCluster: flag },
    origins: new Map([...merged.origins, ["serviceCluster", "--serviceCluster"]]),
  };
}
