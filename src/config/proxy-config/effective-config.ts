/**
 * The effective ProxyConfig: every source read, laid together and decoded. Whoever needs a part of the configuration
 * reads it here, so that all of them agree.
 */
import type { ConfigSources } from "../sources/config-sources.ts";
import type { ProxyFlags } from "../sources/proxy-flags.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import { type Environment, readEnvironment } from "../sources/environment.ts";
import { type PodValues, proxyConfigLayers, readPodInfo } from "./layers.ts";
import { paths } from "../sources/paths.ts";
import { flagLayers } from "./layers.ts";
import type { PilotFlagValues } from "../sources/pilot-flags.ts";
import {
  decodeProxyConfig,
  mergeProxyConfig,
  type MergedProxyConfig,
  type ProxyConfig,
  type ProxyConfigLayer,
} from "./merge.ts";
import { checkServices } from "./service-checks.ts";

/** What the sources say. */
export interface EffectiveConfig {
  readonly env: Environment;
  readonly labels: PodValues;
  readonly annotations: PodValues;
  readonly merged: MergedProxyConfig;
  readonly proxy: ProxyConfig;
  readonly warnings: readonly string[];
}

/** Flags that set a field each. */
type FieldFlags = Pick<ProxyFlags, "pilot" | "concurrency" | "serviceCluster" | "templateFile">;

/** Read everything; every problem is added to `problems`, and what cannot be used counts as its default. */
export function readEffectiveConfig(
  sources: Pick<ConfigSources, "env" | "readFile"> & {
    readonly flags: Pick<ProxyFlags, "meshConfig"> & Partial<FieldFlags>;
  },
  problems: ConfigProblem[],
): EffectiveConfig {
  const warnings: string[] = [];
  const pilot = sources.flags.pilot ?? {};
  const env = withTrustDomain(readEnvironment(sources.env, warnings, problems), sources.env, pilot);
  const labels = readPodInfo(sources, paths.podLabels, problems);
  const annotations = readPodInfo(sources, paths.podAnnotations, problems);
  const layers = [
    ...drainSeconds(env),
    ...cpuLimit(env),
    ...proxyConfigLayers(
      sources,
      { meshConfig: sources.flags.meshConfig, proxyConfig: env.PROXY_CONFIG, annotations },
      problems,
    ),
    ...flagLayers(pilot),
    ...currentFlags(sources.flags),
  ];
  const merged = withServiceCluster(mergeProxyConfig(layers, problems), sources.flags.serviceCluster);
  const proxy = decodeProxyConfig(merged, problems);
  warnings.push(...merged.warnings);
  checkServices(merged, problems, warnings);
  return { env, labels, annotations, merged, proxy, warnings };
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
function currentFlags({ concurrency = 0, templateFile }: Partial<FieldFlags>): readonly ProxyConfigLayer[] {
  return [
    ...(concurrency === 0 ? [] : [{ source: "--concurrency", fields: { concurrency } }]),
    ...(templateFile === undefined
      ? []
      : [{ source: "--templateFile", fields: { proxyBootstrapTemplatePath: templateFile } }]),
  ];
}

/** The flag's, where ProxyConfig has an empty one: with none it has Istio's default. */
function withServiceCluster(merged: MergedProxyConfig, flag: string | undefined): MergedProxyConfig {
  if (merged.fields["serviceCluster"] !== "" || flag === undefined) return merged;
  return {
    ...merged,
    fields: { ...merged.fields, serviceCluster: flag },
    origins: new Map([...merged.origins, ["serviceCluster", "--serviceCluster"]]),
  };
}
