/**
 * A key pair and a PKCS #10 request (RFC 2986) for a SPIFFE identity, as Istio's CA expects them.
 */
import { createPublicKey, type KeyObject, sign } from "node:crypto";
import * as der from "./der.ts";
import { generatePrivateKey, type KeyAlgorithm } from "./key-pair.ts";
import { toPem } from "./pem.ts";

/** A fresh key and the request for it, both PEM. */
export interface CertificateRequest {
  readonly privateKeyPem: string;
  readonly requestPem: string;
}

const oid = {
  organization: "2.5.4.10",
  extensionRequest: "1.2.840.113549.1.9.14",
  subjectAlternativeName: "2.5.29.17",
  sha256WithRsa: "1.2.840.113549.1.1.11",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  ecdsaWithSha384: "1.2.840.10045.4.3.3",
} as const;

/**
 * Make a new key and sign a request for `spiffeId` with it.
 *
 * @param given such a key that is being made, to be used for this alone
 * @throws the reason of `signal` once it aborts
 */
export async function createCertificateRequest(
  key: KeyAlgorithm,
  spiffeId: string,
  signal?: AbortSignal,
  given: Promise<KeyObject> = generatePrivateKey(key, signal),
): Promise<CertificateRequest> {
  const privateKey = await given;
  signal?.throwIfAborted();
  const publicKey = createPublicKey(privateKey);
  return {
    privateKeyPem: exportPrivateKey(privateKey, key),
    requestPem: toPem("CERTIFICATE REQUEST", request(publicKey, privateKey, key, spiffeId)),
  };
}

function exportPrivateKey(privateKey: KeyObject, key: KeyAlgorithm): string {
  const ownType = key.algorithm === "RSA" ? "pkcs1" : "sec1";
  return privateKey.export({ format: "pem", type: key.pkcs8 === true ? "pkcs8" : ownType }).toString();
}

function request(publicKey: KeyObject, privateKey: KeyObject, key: KeyAlgorithm, spiffeId: string): Buffer {
  // Istio's agent sends one empty Organization and no common name; the identity is in the SAN.
  const subject = der.sequence(
    der.set(der.sequence(der.objectIdentifier(oid.organization), der.utf8String(""))),
  );
  const subjectAlternativeName = der.sequence(
    der.objectIdentifier(oid.subjectAlternativeName),
    der.booleanTrue(),
    // GeneralName uniformResourceIdentifier [6] (RFC 5280, section 4.2.1.6).
    der.octetString(der.sequence(der.contextual(6, Buffer.from(spiffeId), "primitive"))),
  );
  const extensionRequest = der.sequence(
    der.objectIdentifier(oid.extensionRequest),
    der.set(der.sequence(subjectAlternativeName)),
  );
  const information = der.sequence(
    der.smallInteger(0),
    subject,
    publicKey.export({ format: "der", type: "spki" }),
    der.contextual(0, extensionRequest, "constructed"),
  );
  const hash = key.algorithm === "ECDSA" && key.curve === "P384" ? "sha384" : "sha256";
  return der.sequence(
    information,
    signatureAlgorithm(key),
    der.bitString(sign(hash, information, privateKey)),
  );
}

function signatureAlgorithm(key: KeyAlgorithm): Buffer {
  if (key.algorithm === "RSA") {
    const nullParameters = Buffer.from([0x05, 0x00]);
    return der.sequence(der.objectIdentifier(oid.sha256WithRsa), nullParameters);
  }
  return der.sequence(der.objectIdentifier(key.curve === "P256" ? oid.ecdsaWithSha256 : oid.ecdsaWithSha384));
}
