/**
 * What is examined: an agent's configuration, whole or as much of it as can be read.
 */
import { readEnvironment } from "../config/sources/environment.ts";
import { asMapping } from "../bootstrap/merge.ts";
import { parseConfig } from "../config/parse-config.ts";
import type { AgentConfig } from "../config/agent-config.ts";
import type { ConfigSources } from "../config/sources/config-sources.ts";
import { parseGoBoolean } from "../schema/go-boolean.ts";
import { ConfigError, type ConfigProblem } from "../schema/config-problem.ts";
import { type PartialConfig, readPartialConfig } from "../config/partial-config.ts";

/** The configuration as far as it goes. */
export interface Subject extends PartialConfig {
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly string[];
  /** Undefined when there are problems. */
  readonly config: AgentConfig | undefined;
}

/** Read the configuration as `outrider proxy` does; never throws ConfigError. */
export function readSubject(sources: ConfigSources): Subject {
  try {
    const config = parseConfig(sources);
    return {
      ...config,
      configPath: config.envoy.configPath,
      statusPort: config.status.port,
      runsEnvoy: config.proxyless === undefined,
      problems: [],
      warnings: config.warnings,
      config,
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ...readPartialConfig(sources), problems: error.problems, warnings: [], config: undefined };
  }
}

/** How the pod's traffic is captured: INTERCEPTION_MODE of the node's metadata; Istio's default is REDIRECT. */
export function interceptionMode(config: AgentConfig | undefined, env: ConfigSources["env"]): string {
  const mode =
    metadataOf(config)["INTERCEPTION_MODE"] ?? readEnvironment(env, [], []).ISTIO_META_INTERCEPTION_MODE;
  return typeof mode === "string" && mode !== "" ? mode : "REDIRECT";
}

/** True where the applications' queries are to come to the agent: DNS_CAPTURE of the node's metadata. */
export function capturesDns(config: AgentConfig): boolean {
  const wanted = metadataOf(config)["DNS_CAPTURE"];
  return typeof wanted === "string" && parseGoBoolean(wanted) === true;
}

function metadataOf(config: AgentConfig | undefined): Readonly<Record<string, unknown>> {
  return asMapping(config?.bootstrap.kind === "template" ? config.bootstrap.parameters.metadata : undefined);
}
