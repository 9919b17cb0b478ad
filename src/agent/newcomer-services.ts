/**
 * What identity and the ADS proxy do for an Envoy that takes over: the seam that the supervisor declares, filled.
 */
import { createHash, X509Certificate } from "node:crypto";
import type { PreparedLaunch } from "../envoy/generation/launch.ts";
import type { ListenerHold, NewcomerServices } from "../envoy/swap/newcomer-services.ts";
import type { ProbeIdentity } from "../envoy/swap/proof.ts";
import type { IdentitySource } from "../identity/options.ts";
import type { SecretManager } from "../identity/secret-manager.ts";
import { describeRefused } from "../xdsproxy/report/refusal.ts";
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
    holdListeners: () => holdListeners(xds),
    identity: () => probeIdentity(isExternal, identity),
  };
}

function holdListeners(xds: XdsProxy): ListenerHold {
  const hold = xds.holdListeners();
  return {
    release: () => {
      hold.release();
    },
    lacks: () =>
      xds
        .lackedBy(hold)
        ?.map((refusal) => `${describeRefused(refusal)}, which serves in the running one`) ?? [
        "it has refused configuration, and it is not known yet what it lacks",
      ],
    [Symbol.dispose]: () => {
      hold[Symbol.dispose]();
    },
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
  const [lost] = xds.lostResources();
  if (lost !== undefined)
    return `${describeRefused(lost)}, and the last accepted one, which serves, is not kept for another Envoy`;
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
