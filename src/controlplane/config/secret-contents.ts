/**
 * What a Secret holds that is used: certificates for TLS, and credentials of images.
 */
import type { SecretSpec } from "./objects.ts";
import { dockerConfigKey, secretKeys } from "./schemas/secret.ts";

/** All of it in PEM. */
export interface SecretCertificates {
  /** A certificate with those that sign it. */
  readonly certificatePem?: string | undefined;
  readonly privateKeyPem?: string | undefined;
  /** Roots that clients' certificates are checked by. */
  readonly rootPem?: string | undefined;
}

/** Read by the names that Istio knows. */
export function certificatesOf(spec: SecretSpec): SecretCertificates {
  return {
    certificatePem: valueOf(spec, secretKeys.certificate),
    privateKeyPem: valueOf(spec, secretKeys.privateKey),
    rootPem: valueOf(spec, secretKeys.root),
  };
}

/** Docker's configuration as JSON, of which nobody has looked at what is in it. */
export function dockerConfigOf(spec: SecretSpec): string | undefined {
  return valueOf(spec, [dockerConfigKey]);
}

function valueOf({ data = {}, stringData = {} }: SecretSpec, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = stringData[name] ?? decoded(data[name]);
    if (value !== undefined && value !== "") return value;
  }
  return undefined;
}

function decoded(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, "base64").toString("utf8");
}
