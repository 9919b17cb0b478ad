/**
 * What a compliance policy leaves to the agent's connections to the control plane, and to Envoy's gRPC clients.
 */
import type { TlsPolicy } from "../../grpc/tls-policy.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";

/** Suites of FIPS 140 before TLS 1.3, strongest keys last, as Istio names them. */
const fipsSuites = ["AES128-GCM-SHA256", "AES256-GCM-SHA384"].flatMap((suite) => [
  `ECDHE-ECDSA-${suite}`,
  `ECDHE-RSA-${suite}`,
]);

/** Those of TLS 1.3. */
const aesSuites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"];

const fips = { GRPC_SSL_CIPHER_SUITES: fipsSuites.join(":") };

/** What the agent's own connections may be made of. */
const tlsPolicies: Readonly<Record<string, TlsPolicy>> = {
  "fips-140-2": {
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.2",
    cipherSuites: fipsSuites,
    groups: ["prime256v1"],
  },
  "fips-140-3": {
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    cipherSuites: [...aesSuites, ...fipsSuites],
    groups: ["prime256v1", "secp384r1"],
  },
  pqc: {
    minVersion: "TLSv1.3",
    maxVersion: "TLSv1.3",
    cipherSuites: aesSuites,
    groups: ["X25519MLKEM768"],
  },
};

/** Nothing where the policy asks for nothing. */
export function compliantTls(policy: string): { readonly policy?: TlsPolicy } {
  const found = Object.hasOwn(tlsPolicies, policy) ? tlsPolicies[policy] : undefined;
  return found === undefined ? {} : { policy: found };
}

const policies: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "": {},
  "fips-140-2": fips,
  "fips-140-3": fips,
  pqc: {},
};

/** Variables for Envoy; a policy that is not known is a problem. */
export function compliantEnvironment(
  policy: string,
  problems: ConfigProblem[],
): Readonly<Record<string, string>> {
  const environment = Object.hasOwn(policies, policy) ? policies[policy] : undefined;
  if (environment !== undefined) return environment;
  problems.push({
    source: "COMPLIANCE_POLICY",
    path: "",
    message: `${policy} is not known: use fips-140-2, fips-140-3 or pqc`,
  });
  return {};
}
