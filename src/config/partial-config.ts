/**
 * What can be known of an agent's configuration even when it cannot be used: whoever debugs needs the rest of the
 * answers as well.
 */
import { xdsSocketPath } from "./sources/paths.ts";
import type { AgentConfig } from "./agent-config.ts";
import type { ConfigSources } from "./sources/config-sources.ts";
import { contentCheck } from "./decide/credentials.ts";
import { discoveryOptions } from "./decide/control-plane.ts";
import { readEffectiveConfig } from "./proxy-config/effective-config.ts";
import { identityParts } from "./decide/identity.ts";

/** The parts that need no other part to be right. */
export type PartialConfig = Pick<
  AgentConfig,
  "envoyBinary" | "identity" | "sds" | "xds" | "admin" | "knownPorts"
> & {
  readonly configPath: string;
  readonly statusPort: number;
  /** False with DISABLE_ENVOY. */
  readonly runsEnvoy: boolean;
};

/** Reads leniently: what cannot be read counts as its default; an address that is none is empty. */
export function readPartialConfig(sources: ConfigSources): PartialConfig {
  const { flags, env, proxy } = readEffectiveConfig(sources, []);
  const controlPlane = {
    env: { parsed: env, all: sources.env },
    proxy,
    hasContent: contentCheck(sources.readFile),
    clusterId: env.ISTIO_META_CLUSTER_ID || undefined,
  };
  return {
    configPath: proxy.configPath,
    statusPort: proxy.statusPort,
    runsEnvoy: !env.DISABLE_ENVOY,
    envoyBinary: {
      binaryPath: flags.binaryPath ?? proxy.binaryPath,
      envoyPath: env.ENVOY_PATH === "" ? undefined : env.ENVOY_PATH,
    },
    ...identityParts({ sources, flags }, controlPlane, "", []),
    xds: {
      path: xdsSocketPath(proxy.configPath),
      mode: 0o600,
      upstream: discoveryOptions(controlPlane, []),
      cache: undefined,
    },
    admin: { host: "127.0.0.1", port: proxy.proxyAdminPort },
    knownPorts: [
      { port: proxy.statusPort, purpose: "ProxyConfig statusPort" },
      ...(env.DISABLE_ENVOY
        ? []
        : [
            { port: proxy.proxyAdminPort, purpose: "ProxyConfig proxyAdminPort" },
            { port: env.ENVOY_STATUS_PORT, purpose: "ENVOY_STATUS_PORT" },
            { port: env.ENVOY_PROMETHEUS_PORT, purpose: "ENVOY_PROMETHEUS_PORT" },
          ]),
    ],
  };
}
