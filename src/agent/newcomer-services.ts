/**
 * What identity and the ADS proxy do for an Envoy that takes over: the seam that the supervisor declares, filled.
 */
import { createHash, X509Certificate } from "node:crypto";
import type { PreparedLaunch } from "../envoy/generation/launch.ts";
import type { NewcomerServices } from "../envoy/swap/newcomer-services.ts";
import type { ProbeIdentity } from "../envoy/swap/proof.ts";
import type { IdentitySource } from "../identity/options.ts";
import type { SecretManager } from "../identity/secret-manager.ts";
import type { XdsProxy } from "../xdsproxy/xds-proxy.ts";

/** Ask the two. */
export function newcomerServices(
  source: IdentitySource,
  identity: SecretManager,
  xds: XdsProxy,
): NewcomerServices {
  const isExternal = source.kind === "external-sds";
  return {
    obstacle: (launch) => identityObstacle(isExternal, identity, launch) ?? xdsObstacle(xds, launch),
    holdListeners: () => xds.holdListeners(),
    identity: () => probeIdentity(isExternal, identity),
  };
}

function identityObstacle(
  isExternal: boolean,
  identity: SecretManager,
  { awaits }: PreparedLaunch,
): string | undefined {
  if (!awaits.secrets) return undefined;
  const { secret, problem } = identity.state.current;
  // The agent need not be able to read what another server gives Envoy.
  if (isExternal && secret === undefined && problem?.code === "SDS_INVALID") return undefined;
  if (secret === undefined)
    return `there is no workload certificate: ${problem?.message ?? "its source has not answered"}`;
  if (secret.notAfter.getTime() > Date.now()) return undefined;
  return `the workload certificate has expired: ${problem?.message ?? "its source has not answered"}`;
}

function xdsObstacle(xds: XdsProxy, { awaits }: PreparedLaunch): string | undefined {
  if (!awaits.clusters && !awaits.listeners) return undefined;
  const { kind, problem } = xds.state.current;
  // Without a control plane the cache serves a newcomer what the Envoy before it has.
  if (kind === "connected" || xds.hasCache()) return undefined;
  return `there is no connection to the discovery server${problem === undefined ? "" : `: ${problem}`}`;
}

function probeIdentity(isExternal: boolean, identity: SecretManager): ProbeIdentity | undefined {
  const { secret } = identity.state.current;
  if (secret === undefined) return undefined;
  const leaf = new X509Certificate(secret.certificateChainPem);
  return {
    spiffeId: secret.spiffeId,
    certificateChainPem: secret.certificateChainPem,
    privateKeyPem: secret.privateKeyPem,
    // Another server may give the agent and Envoy a certificate each.
    leafFingerprint256: isExternal ? undefined : createHash("sha256").update(leaf.raw).digest("hex"),
  };
}
