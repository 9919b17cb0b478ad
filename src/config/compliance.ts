/**
 * What a compliance policy leaves to Envoy's gRPC clients.
 */
import type { ConfigProblem } from "./config-problem.ts";

/** Suites of FIPS 140, strongest keys last, as Istio names them. */
const fips = {
  GRPC_SSL_CIPHER_SUITES: ["AES128-GCM-SHA256", "AES256-GCM-SHA384"]
    .flatMap((suite) => [`ECDHE-ECDSA-${suite}`, `ECDHE-RSA-${suite}`])
    .join(":"),
};

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
