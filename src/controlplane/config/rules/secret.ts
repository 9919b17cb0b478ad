/** What spans several fields of a Secret. No message has anything of what is in it. */
import { createPrivateKey, createPublicKey } from "node:crypto";
import { keyFitsCertificate, readableCertificates } from "../../../pki/certificate.ts";
import { keyProblem } from "../../../pki/key-strength.ts";
import { splitPem } from "../../../pki/pem.ts";
import type { SecretSpec } from "../objects.ts";
import { parseJsonObject } from "../json-value.ts";
import { certificatesOf, dockerConfigOf } from "../secret-contents.ts";
import type { Complaint } from "./complaint.ts";

/** Every broken rule: Envoy refuses a certificate that is none, and a key that is another's. */
export function secret(spec: SecretSpec): readonly Complaint[] {
  const { certificatePem, privateKeyPem, rootPem } = certificatesOf(spec);
  const complaints: Complaint[] = [];
  const dockerConfig = dockerConfigOf(spec);
  if (dockerConfig !== undefined && typeof parseJsonObject(dockerConfig)?.["auths"] !== "object")
    complaints.push(["data", "has a configuration of Docker (.dockerconfigjson) that is no JSON with auths"]);
  if ((certificatePem === undefined) !== (privateKeyPem === undefined))
    complaints.push(["data", "needs both tls.crt and tls.key, or neither"]);
  const badCertificate = certificatePem !== undefined && !isCertificates(certificatePem);
  if (badCertificate) complaints.push(["data", "has a certificate (tls.crt) that is none in PEM"]);
  if (rootPem !== undefined && !isCertificates(rootPem))
    complaints.push(["data", "has a root (ca.crt) that is no certificate in PEM"]);
  if (certificatePem === undefined || privateKeyPem === undefined || badCertificate) return complaints;
  return [...complaints, ...keyComplaints(certificatePem, privateKeyPem)];
}

function keyComplaints(certificatePem: string, privateKeyPem: string): readonly Complaint[] {
  try {
    const problem = keyProblem(createPublicKey(createPrivateKey(privateKeyPem)));
    if (problem !== undefined) return [["data", `has a key (tls.key) that ${problem}`]];
    if (!keyFitsCertificate(privateKeyPem, certificatePem))
      return [["data", "has a key (tls.key) that is not that of the certificate (tls.crt)"]];
    return [];
  } catch {
    return [["data", "has a key (tls.key) that is none in PEM, or one with a password"]];
  }
}

function isCertificates(pem: string): boolean {
  const all = splitPem(pem);
  return all.length > 0 && readableCertificates(pem).length === all.length;
}
