/**
 * The workload's key and certificate, checked before anybody uses them.
 */
import { joinPem, keyFitsCertificate, readCertificate } from "../pki/certificate.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { IdentityError } from "./identity-error.ts";

/** A key, its chain and the root, as they are served. PEM throughout. */
export interface WorkloadSecret {
  /** Leaf first; the root is its last element, as Istio serves it. */
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
  readonly rootPem: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly spiffeId: string;
  /** Hexadecimal. */
  readonly serial: string;
}

/** The CA's answer and what it was asked for. */
export interface SignedRequest {
  readonly privateKeyPem: string;
  /** Leaf first, root last. */
  readonly chain: readonly string[];
  readonly spiffeId: string;
}

/**
 * Check an answer of the CA.
 *
 * @throws IdentityError CERTIFICATE_INVALID that says what does not fit
 */
export function checkSecret(signed: SignedRequest, now: Date): WorkloadSecret {
  const [leaf = ""] = signed.chain;
  const facts = parse(leaf);
  const fits = checkKey(signed.privateKeyPem, leaf);
  const problems = [
    ...(fits ? [] : ["its key is not the one that was asked for"]),
    ...(facts.uris.includes(signed.spiffeId)
      ? []
      : [`it is for ${facts.uris.join(", ") || "nobody"}, not for ${signed.spiffeId}`]),
    ...(facts.notAfter > now ? [] : [`it expired at ${facts.notAfter.toISOString()}`]),
    ...(facts.notBefore <= now
      ? []
      : [
          `it is not valid before ${facts.notBefore.toISOString()}, and this clock says ${now.toISOString()}: compare the clocks`,
        ]),
  ];
  if (problems.length > 0) {
    throw new IdentityError(
      "CERTIFICATE_INVALID",
      `the CA's certificate cannot be used: ${problems.join("; ")}`,
    );
  }
  return {
    certificateChainPem: joinPem(signed.chain),
    privateKeyPem: signed.privateKeyPem,
    rootPem: joinPem(signed.chain.slice(-1)),
    notBefore: facts.notBefore,
    notAfter: facts.notAfter,
    spiffeId: signed.spiffeId,
    serial: facts.serial,
  };
}

function parse(pem: string): ReturnType<typeof readCertificate> {
  try {
    return readCertificate(pem);
  } catch (error) {
    throw new IdentityError(
      "CERTIFICATE_INVALID",
      `the CA's answer holds no certificate: ${errorMessage(error)}`,
      error,
    );
  }
}

function checkKey(privateKeyPem: string, leaf: string): boolean {
  try {
    return keyFitsCertificate(privateKeyPem, leaf);
  } catch {
    return false;
  }
}
