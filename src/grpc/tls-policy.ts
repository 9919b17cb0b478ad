/**
 * What TLS may be made of, where more than the library's own choice is wanted of it.
 */
import type { SecureContextOptions, SecureVersion } from "node:tls";

/** What is left out is the library's choice. */
export interface TlsPolicy {
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  /** Suites of every version, in OpenSSL's names. */
  readonly cipherSuites: readonly string[];
  /** Groups for the key exchange, in OpenSSL's names. */
  readonly groups: readonly string[];
}

/** The policy as Node.js takes it; without one, TLS 1.2 and above, whatever flag this Node.js was started with. */
export function policyOptions(policy: TlsPolicy | undefined): SecureContextOptions {
  if (policy === undefined) return { minVersion: "TLSv1.2" };
  const { minVersion, maxVersion, cipherSuites, groups } = policy;
  return { minVersion, maxVersion, ciphers: cipherSuites.join(":"), ecdhCurve: groups.join(":") };
}
