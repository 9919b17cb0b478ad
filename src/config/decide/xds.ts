/**
 * Options of the ADS proxy.
 */
import { join } from "node:path";
import type { UpstreamOptions } from "../../xdsproxy/upstream/options.ts";
import type { XdsProxyOptions } from "../../xdsproxy/xds-proxy.ts";
import type { ProxyFlags } from "../sources/proxy-flags.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import { flagDurationMs } from "../../schema/duration.ts";
import type { Environment } from "../sources/environment.ts";

/** Largest cached state of one type: several times what a large mesh has. */
const maxTypeBytes = 67_108_864;

/** From an acknowledgement to its write: a burst of pushes is written once. */
const writeAfterMs = 1_000;

/** What the proxy's options are decided from. */
export interface XdsSources {
  readonly flags: ProxyFlags;
  readonly env: Environment;
  readonly node: { readonly id: string; readonly metadata: Readonly<Record<string, unknown>> };
  readonly upstream: UpstreamOptions;
  readonly configPath: string;
}

/** The socket is `XDS` and the cache `xds-cache`, both under the configuration path. */
export function xdsOptions(sources: XdsSources, problems: ConfigProblem[]): XdsProxyOptions {
  const { flags, env, node, upstream, configPath } = sources;
  const useAfterMs = flagDurationMs("--xdsCacheAfter", flags.xdsCacheAfter, problems);
  return {
    path: join(configPath, "XDS"),
    mode: 0o600,
    upstream,
    subscriptions: {
      nameTable: isOn(node.metadata["DNS_CAPTURE"]) || isOn(node.metadata["ENABLE_DNS_SERVER"]),
      trustBundle: env.PROXY_CONFIG_XDS_AGENT,
    },
    cache: flags.xdsCache
      ? {
          folder: join(configPath, "xds-cache"),
          owner: `${node.id} ${upstream.address}`,
          maxTypeBytes,
          writeAfterMs,
          useAfterMs,
        }
      : undefined,
  };
}

/** Metadata are text, as they come from ISTIO_META_ variables. */
function isOn(value: unknown): boolean {
  return value === "true" || value === true;
}
