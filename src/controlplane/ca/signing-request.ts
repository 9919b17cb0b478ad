/**
 * A workload's certificate request (PKCS #10, RFC 2986), as far as the authority takes anything from it: the key,
 * and the proof that the caller has it. Names and extensions that it asks for are not looked at.
 */
import { createPublicKey } from "node:crypto";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { splitDer } from "../../pki/der.ts";
import { keyProblem } from "../../pki/key-strength.ts";

/** A request that cannot be signed; the message is for the client. */
export class SigningError extends Error {
  override readonly name = "SigningError";
}

/** Characters of the PEM text; with the largest key that is taken a request has some 3,000. */
const maxLength = 32_768;

const hashes: ReadonlySet<string> = new Set(["SHA-256", "SHA-384", "SHA-512"]);

/**
 * The public key of a request.
 *
 * @throws SigningError that says which check failed
 */
export async function readSigningRequest(pem: string): Promise<x509.PublicKey> {
  if (pem.length > maxLength)
    throw new SigningError(`the CSR is longer than ${maxLength} characters: it is not even looked at`);
  const request = parse(pem);
  const key = reading("key", () =>
    createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: "der", type: "spki" }),
  );
  const problem = keyProblem(key);
  if (problem !== undefined) throw new SigningError(`the CSR's key ${problem}`);
  const algorithm = reading("signature algorithm", () => signatureName(request));
  if (!hashes.has(algorithm.hash))
    throw new SigningError(
      `the CSR is signed with ${algorithm.text}: it must be RSA (PKCS #1) or ECDSA with one of ${[...hashes].join(", ")}`,
    );
  // After the bounds of the key: a larger one would make the check itself expensive.
  if (!(await request.verify().catch(() => false)))
    throw new SigningError("the CSR's signature does not fit its public key");
  return new x509.PublicKey(key.export({ format: "der", type: "spki" }));
}

function parse(pem: string): x509.Pkcs10CertificateRequest {
  const blocks = pem.match(/-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----[^-]*-----END/g) ?? [];
  const [block = ""] = blocks;
  if (blocks.length !== 1)
    throw new SigningError(`the CSR holds ${blocks.length} PEM blocks CERTIFICATE REQUEST, not one`);
  const base64 = block.replace(/^-----[^-]*-----|-----END$/g, "").replaceAll(/\s/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new SigningError("the CSR's PEM block is not base64");
  const der = Buffer.from(base64, "base64");
  return reading("structure", () => {
    if (splitDer(der).length !== 1) throw new Error("something follows it");
    return new x509.Pkcs10CertificateRequest(der);
  });
}

/** `hash` is empty for an algorithm that hashes by itself, or that nobody knows. */
function signatureName(request: x509.Pkcs10CertificateRequest): {
  readonly text: string;
  readonly hash: string;
} {
  const { name, hash } = request.signatureAlgorithm as { name: string; hash?: { name: string } };
  const isKnown = name === "RSASSA-PKCS1-v1_5" || name === "ECDSA";
  return {
    text: hash === undefined ? name : `${name} and ${hash.name}`,
    hash: isKnown ? (hash?.name ?? "") : "",
  };
}

function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new SigningError(`the CSR's ${what} cannot be read: ${errorMessage(error)}`);
  }
}
