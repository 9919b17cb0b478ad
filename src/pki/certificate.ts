/**
 * Facts about PEM certificates.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { splitPem } from "./pem.ts";

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

/** A certificate for people. Times are ISO 8601. */
export interface CertificateSummary {
  readonly subject: string;
  readonly issuer: string;
  /** Hexadecimal. */
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** All of them, as `URI:spiffe://…` and the like. */
  readonly names: readonly string[];
}

/** @throws the error of OpenSSL when `pem` holds no certificate */
export function describeCertificate(pem: string): CertificateSummary {
  const certificate = new X509Certificate(pem);
  const name = (text: string | undefined): string => (text ?? "").trim().split("\n").join(", ");
  return {
    subject: name(certificate.subject),
    issuer: name(certificate.issuer),
    serial: certificate.serialNumber,
    notBefore: certificate.validFromDate.toISOString(),
    notAfter: certificate.validToDate.toISOString(),
    names: (certificate.subjectAltName ?? "").split(", ").filter((one) => one !== ""),
  };
}

/** The certificates of a bundle that can be read, one PEM document each; the others are left out. */
export function readableCertificates(bundlePem: string): readonly string[] {
  return splitPem(bundlePem).filter((pem) => {
    try {
      return new X509Certificate(pem).raw.length > 0;
    } catch {
      return false;
    }
  });
}

/** True when the private key belongs to the first certificate of the chain. */
export function keyFitsCertificate(privateKeyPem: string, certificatePem: string): boolean {
  return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(privateKeyPem));
}

/**
 * True when a path of signatures leads from the leaf over any of the intermediates to one of the roots. The
 * order of the intermediates does not matter, and a root among them does no harm. Each is one PEM certificate.
 */
export function chainsToRoot(
  leafPem: string,
  intermediatePems: readonly string[],
  rootPems: readonly string[],
): boolean {
  const roots = rootPems.map((pem) => new X509Certificate(pem));
  let unused = intermediatePems.map((pem) => new X509Certificate(pem));
  let reached = [new X509Certificate(leafPem)];
  while (reached.length > 0) {
    const subjects = reached;
    if (subjects.some((subject) => roots.some((root) => isIssuedBy(subject, root)))) return true;
    reached = unused.filter((issuer) => subjects.some((subject) => isIssuedBy(subject, issuer)));
    unused = unused.filter((certificate) => !reached.includes(certificate));
  }
  return false;
}

function isIssuedBy(subject: X509Certificate, issuer: X509Certificate): boolean {
  return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}
