/**
 * Facts about PEM certificates.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";

/** What the agent wants to know of a leaf. Times are whole seconds in X.509. */
export interface CertificateFacts {
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** URI SANs, of which a SPIFFE certificate has exactly one. */
  readonly uris: readonly string[];
  /** Hexadecimal. */
  readonly serial: string;
}

/** @throws the error of OpenSSL when `pem` holds no certificate */
export function readCertificate(pem: string): CertificateFacts {
  const certificate = new X509Certificate(pem);
  const names = certificate.subjectAltName ?? "";
  return {
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
    uris: [...names.matchAll(/URI:([^,\s]+)/g)].map((match) => match[1] ?? ""),
    serial: certificate.serialNumber,
  };
}

/** True when the private key belongs to the first certificate of the chain. */
export function keyFitsCertificate(privateKeyPem: string, certificatePem: string): boolean {
  return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(privateKeyPem));
}

/** Join PEM documents so that each begins on its own line. */
export function joinPem(documents: readonly string[]): string {
  return documents.map((text) => `${text.trim()}\n`).join("");
}
