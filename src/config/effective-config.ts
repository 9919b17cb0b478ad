/**
 * The effective ProxyConfig: every source read, laid together and decoded. Whoever needs a part of the configuration
 * reads it here, so that all of them agree.
 */
import type { ConfigSources, ProxyFlags } from "./agent-config.ts";
import type { ConfigProblem } from "./config-problem.ts";
import { type Environment, readEnvironment } from "./environment.ts";
import { type PodValues, proxyConfigLayers, readPodInfo } from "./layers.ts";
import { paths } from "./paths.ts";
import { flagLayers, type PilotFlagValues } from "./pilot-flags.ts";
import {
  decodeProxyConfig,
  mergeProxyConfig,
  type MergedProxyConfig,
  type ProxyConfig,
} from "./proxy-config.ts";
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

/** Read everything; every problem is added to `problems`, and what cannot be used counts as its default. */
export function readEffectiveConfig(
  sources: Pick<ConfigSources, "env" | "readFile"> & {
    readonly flags: Pick<ProxyFlags, "meshConfig"> & Partial<Pick<ProxyFlags, "pilot">>;
  },
  problems: ConfigProblem[],
): EffectiveConfig {
  const warnings: string[] = [];
  const pilot = sources.flags.pilot ?? {};
  const env = withTrustDomain(readEnvironment(sources.env, warnings), sources.env, pilot);
  const labels = readPodInfo(sources, paths.podLabels, problems);
  const annotations = readPodInfo(sources, paths.podAnnotations, problems);
  const layers = [
    ...drainSeconds(env),
    ...proxyConfigLayers(
      sources,
      { meshConfig: sources.flags.meshConfig, proxyConfig: env.PROXY_CONFIG, annotations },
      problems,
    ),
    ...flagLayers(pilot),
  ];
  const merged = mergeProxyConfig(layers, problems);
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
function drainSeconds(env: Environment): { source: string; fields: Readonly<Record<string, unknown>> }[] {
  const seconds = env.TERMINATION_DRAIN_DURATION_SECONDS;
  if (seconds < 0) return [];
  return [
    { source: "TERMINATION_DRAIN_DURATION_SECONDS", fields: { terminationDrainDuration: `${seconds}s` } },
  ];
}
