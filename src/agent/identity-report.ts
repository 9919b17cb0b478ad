/**
 * The workload's identity in the agent's report: everything but its key.
 */
import type { IdentityState } from "../identity/identity-state.ts";
import type { WorkloadSecret } from "../identity/workload-secret.ts";
import { describeCertificate } from "../pki/certificate.ts";
import { splitPem } from "../pki/pem.ts";
import type { IdentityReport } from "../status/contract/agent-report.ts";

/** What there is of it. */
export function identityReport(state: IdentityState): IdentityReport {
  const { secret, problem, source, askedTrustDomain, receivedAt, nextRotation } = state;
  return {
    ...(secret === undefined
      ? {}
      : {
          spiffeId: secret.spiffeId,
          notAfter: secret.notAfter.toISOString(),
          chain: splitPem(secret.certificateChainPem).map(describeCertificate),
          roots: splitPem(secret.rootPem).map(describeCertificate),
          ...federatedRoots(secret.federatedBundles),
        }),
    ...(askedTrustDomain === undefined ? {} : { askedTrustDomain }),
    ...(problem === undefined ? {} : { problem: problem.message }),
    ...(source === undefined ? {} : { source }),
    ...(receivedAt === undefined ? {} : { receivedAt: receivedAt.toISOString() }),
    ...(nextRotation === undefined ? {} : { nextRotation: nextRotation.toISOString() }),
  };
}

function federatedRoots(bundles: WorkloadSecret["federatedBundles"]): Pick<IdentityReport, "federatedRoots"> {
  if (bundles === undefined || bundles.size === 0) return {};
  return {
    federatedRoots: Object.fromEntries(
      [...bundles].map(([domain, pem]) => [domain, splitPem(pem).map(describeCertificate)]),
    ),
  };
}
