/**
 * What a Secret holds for TLS.
 */
import type { SecretSpec } from "./objects.ts";
import { secretKeys } from "./schemas/secret.ts";

/** All of it in PEM. */
export interface SecretCertificates {
  /** A certificate with those that sign it. */
  readonly certificatePem?: string | undefined;
  readonly privateKeyPem?: string | undefined;
  /** Roots that clients' certificates are checked by. */
  readonly rootPem?: string | undefined;
}

/** Read by the names that Istio knows. */
export function certificatesOf({ data = {}, stringData = {} }: SecretSpec): SecretCertificates {
  const valueOf = (names: readonly string[]): string | undefined => {
    for (const name of names) {
      const value = stringData[name] ?? decoded(data[name]);
      if (value !== undefined && value !== "") return value;
    }
    return undefined;
  };
  return {
    certificatePem: valueOf(secretKeys.certificate),
    privateKeyPem: valueOf(secretKeys.privateKey),
    rootPem: valueOf(secretKeys.root),
  };
}

function decoded(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, "base64").toString("utf8");
}
