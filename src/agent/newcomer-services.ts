/**
 * What identity and the ADS proxy do for an Envoy that takes over: the seam that the supervisor declares, filled.
 */
import { createHash, X509Certificate } from "node:crypto";
import type { PreparedLaunch } from "../envoy/generation/launch.ts";
import type { NewcomerServices } from "../envoy/swap/newcomer-services.ts";
import type { ProbeIdentity } from "../envoy/swap/proof.ts";
import type { SecretManager } from "../identity/secret-manager.ts";
import type { XdsProxy } from "../xdsproxy/xds-proxy.ts";

/** Ask the two. */
export function newcomerServices(identity: SecretManager, xds: XdsProxy): NewcomerServices {
  return {
    obstacle: (launch) => identityObstacle(identity, launch) ?? xdsObstacle(xds, launch),
    holdListeners: () => xds.holdListeners(),
    identity: () => probeIdentity(identity),
  };
}

function identityObstacle(identity: SecretManager, { awaits }: PreparedLaunch): string | undefined {
  if (!awaits.secrets) return undefined;
  const { secret, problem } = identity.state.current;
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

function probeIdentity(identity: SecretManager): ProbeIdentity | undefined {
  const { secret } = identity.state.current;
  if (secret === undefined) return undefined;
  const leaf = new X509Certificate(secret.certificateChainPem);
  return {
    spiffeId: secret.spiffeId,
    certificateChainPem: secret.certificateChainPem,
    privateKeyPem: secret.privateKeyPem,
    leafFingerprint256: createHash("sha256").update(leaf.raw).digest("hex"),
  };
}
