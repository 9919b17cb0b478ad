/**
 * The workload's identity and who is served it, put together.
 */
import type { IdentityOptions } from "../../identity/options.ts";
import type { SdsOptions } from "../../sds/server.ts";
import type { ProxyFlags } from "../sources/proxy-flags.ts";
import type { ConfigSources } from "../sources/config-sources.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import { caOptions, type ControlPlaneSources } from "./control-plane.ts";
import { identityCache, identitySource, privateKeyProvider, trustBundles } from "./identity-source.ts";
import { paths } from "../sources/paths.ts";
import { workloadSocketName } from "../sources/sds-sockets.ts";

/** Options of identity and of SDS. */
export interface IdentityParts {
  readonly identity: IdentityOptions;
  readonly sds: SdsOptions;
}

/**
 * Decide both.
 *
 * @param from as they were given: a rotation of mounted certificates is not a change of configuration
 */
export function identityParts(
  { sources, flags }: { readonly sources: ConfigSources; readonly flags: ProxyFlags },
  controlPlane: ControlPlaneSources,
  nodeId: string,
  problems: ConfigProblem[],
): IdentityParts {
  const env = controlPlane.env.parsed;
  const { hasContent } = controlPlane;
  const { proxyMetadata } = controlPlane.proxy;
  const socketName = workloadSocketName(env.WORKLOAD_IDENTITY_SOCKET_FILE, problems);
  const { isWorkloadExternal } = sources.sdsSockets;
  const external = isWorkloadExternal
    ? { socketPath: `${paths.sdsFolder}/${socketName}`, nodeId }
    : undefined;
  const source = identitySource({ env, proxyMetadata, hasContent, external }, problems);
  return {
    identity: {
      ...caOptions(controlPlane, source.kind === "ca", problems),
      source,
      cache: identityCache(flags, controlPlane.proxy.configPath),
      trustBundles: trustBundles(controlPlane.proxy, problems),
      takesPushedBundle: env.PROXY_CONFIG_XDS_AGENT,
    },
    sds: {
      path: isWorkloadExternal ? paths.filesSocket : paths.sdsSocket,
      mode: flags.socketMode,
      crlPath: env.PILOT_ENABLE_CA_CRL ? paths.crl : undefined,
      privateKeyProvider: privateKeyProvider(controlPlane.proxy, problems),
    },
  };
}
