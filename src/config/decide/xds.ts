/**
 * Options of the ADS proxy.
 */
import { xdsSocketPath } from "../sources/paths.ts";
import { join } from "node:path";
import type { UpstreamOptions } from "../../xdsproxy/upstream/options.ts";
import type { XdsProxyOptions } from "../../xdsproxy/xds-proxy.ts";
import type { ProxyFlags } from "../sources/proxy-flags.ts";

/** Largest cached state of one type: several times what a large mesh has. */
const maxTypeBytes = 67_108_864;

/** From an acknowledgement to its write: a burst of pushes is written once. */
const writeAfterMs = 1_000;

/** What the proxy's options are decided from. */
export interface XdsSources {
  readonly flags: ProxyFlags;
  readonly node: { readonly id: string };
  readonly upstream: UpstreamOptions;
  readonly configPath: string;
}

/** The socket is `XDS` and the cache `xds-cache`, both under the configuration path. */
export function xdsOptions(sources: XdsSources): XdsProxyOptions {
  const { flags, node, upstream, configPath } = sources;
  return {
    path: xdsSocketPath(configPath),
    mode: 0o600,
    upstream,
    cache: flags.xdsCache
      ? {
          folder: join(configPath, "xds-cache"),
          owner: `${node.id} ${upstream.address}`,
          maxTypeBytes,
          writeAfterMs,
          useAfterMs: flags.xdsCacheAfter,
        }
      : undefined,
  };
}
