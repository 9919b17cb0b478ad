/**
 * Where the agent of this pod is found, for the commands that talk to it from beside it.
 *
 * They run in the agent's container with its environment and working directory, so the same sources say it.
 */
import type { ConfigSources } from "./sources/config-sources.ts";
import { paths } from "./sources/paths.ts";
import { readEffectiveConfig } from "./proxy-config/effective-config.ts";

/** Folder and ports of a running agent. */
export interface AgentLocation {
  /** Folder of the bootstrap, the generations and the sockets. */
  readonly configPath: string;
  /** The agent's status port. */
  readonly statusPort: number;
  /** The port that leads to Envoy's admin interface. */
  readonly adminPort: number;
  /** Envoy's readiness listener. */
  readonly envoyStatusPort: number;
}

/** True where these sources say which agent is meant, as those of a pod do. */
export function saysWhere(sources: Pick<ConfigSources, "env" | "flags" | "readFile">): boolean {
  const { env } = readEffectiveConfig(sources, []);
  const isGiven = Object.keys(sources.flags).length > 0;
  return isGiven || env.PROXY_CONFIG !== "" || sources.readFile(paths.meshConfig).kind === "read";
}

/** Reads leniently: what cannot be read counts as its default, because whoever debugs needs an answer. */
export function locateAgent(sources: Pick<ConfigSources, "env" | "flags" | "readFile">): AgentLocation {
  const { env, proxy } = readEffectiveConfig(sources, []);
  return {
    configPath: proxy.configPath,
    statusPort: proxy.statusPort,
    adminPort: proxy.proxyAdminPort,
    envoyStatusPort: env.ENVOY_STATUS_PORT,
  };
}
