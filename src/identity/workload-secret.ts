/**
 * The workload's key and certificate, checked before anybody uses them.
 */
import {
  type CertificateFacts,
  chainsToRoot,
  keyFitsCertificate,
  readableCertificates,
  readCertificate,
} from "../pki/certificate.ts";
import { joinPem, splitPem } from "../pki/pem.ts";
import { isSameWorkload } from "../pki/spiffe-id.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { IdentityError } from "./identity-error.ts";

/** PEM bundles by trust domain. */
export type FederatedBundles = ReadonlyMap<string, string>;

/** True when the same would be served. */
export function isSameSecret(some: WorkloadSecret, other: WorkloadSecret): boolean {
  const foreign = ({ federatedBundles }: WorkloadSecret): string =>
    JSON.stringify([...(federatedBundles ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return (
    some.certificateChainPem === other.certificateChainPem &&
    some.privateKeyPem === other.privateKeyPem &&
    some.rootPem === other.rootPem &&
    some.crlPem === other.crlPem &&
    foreign(some) === foreign(other)
  );
}

/** A key, its chain and the root, as they are served. PEM throughout. */
export interface WorkloadSecret {
  /** Leaf first; the root is its last element, as Istio serves it. */
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
  readonly rootPem: string;
  /** Roots of other trust domains by their names, each for names of its own domain only. None unless given. */
  readonly federatedBundles?: FederatedBundles;
  /** Revoked certificates that the source knows of, one list or several. None unless given. */
  readonly crlPem?: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly spiffeId: string;
  /** Hexadecimal. */
  readonly serial: string;
}

/** The CA's answer and what it was asked for. */
export interface SignedRequest {
  readonly privateKeyPem: string;
  /** Leaf first, root last. An element may be a bundle of several certificates. */
  readonly chain: readonly string[];
  readonly spiffeId: string;
}

/**
 * Check an answer of the CA, which may be for another trust domain than was asked for. Whether the certificate is
 * valid yet is left to the caller, who can wait for it.
 *
 * @throws IdentityError CERTIFICATE_INVALID with everything that does not fit
 */
export function checkSecret(signed: SignedRequest, now: Date): WorkloadSecret {
  const [leaf = "", ...intermediates] = signed.chain.slice(0, -1).flatMap(splitPem);
  const roots = signed.chain.slice(-1).flatMap(splitPem);
  const facts = reading("the CA's answer holds no certificate", () => readCertificate(leaf));
  const fits = reading("the CA's certificate has a key of another kind", () =>
    keyFitsCertificate(signed.privateKeyPem, leaf),
  );
  const isRooted = reading("the CA's chain cannot be read", () => chainsToRoot(leaf, intermediates, roots));
  const [spiffeId = ""] = facts.uris;
  const identities = facts.uris.join(", ") || "nobody";
  const problems = [
    fits ? undefined : "its key is not the one that was asked for",
    isRooted ? undefined : "its chain does not lead to the root that came with it",
    facts.uris.length === 1 && isSameWorkload(signed.spiffeId, spiffeId)
      ? undefined
      : `it is for ${identities}, not for ${signed.spiffeId}: check POD_NAMESPACE and SERVICE_ACCOUNT`,
    facts.notAfter > now
      ? undefined
      : `it expired at ${facts.notAfter.toISOString()}, and this clock says ${now.toISOString()}: compare the clocks`,
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) {
    throw new IdentityError(
      "CERTIFICATE_INVALID",
      `the CA's certificate cannot be used: ${problems.join("; ")}`,
    );
  }
  return {
    certificateChainPem: joinPem(signed.chain),
    privateKeyPem: signed.privateKeyPem,
    rootPem: joinPem(roots),
    notBefore: facts.notBefore,
    notAfter: facts.notAfter,
    spiffeId,
    serial: facts.serial,
  };
}

/** How long the leaf of a chain is valid; undefined when it holds no certificate. */
export function leafValidity(
  chain: readonly string[],
): Pick<CertificateFacts, "notBefore" | "notAfter"> | undefined {
  try {
    return readCertificate(splitPem(chain[0] ?? "")[0] ?? "");
  } catch {
    return undefined;
  }
}

/** A key pair and its roots as somebody else made them. PEM throughout. */
export interface GivenSecret {
  /** Leaf first. */
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
  /** One or more; text and certificates that cannot be read are left out. */
  readonly rootPem: string;
  readonly federatedBundles?: FederatedBundles;
  readonly crlPem?: string;
}

/**
 * Check a pair that was not asked for: its identity is its own, and its peers may have another root.
 *
 * @param name of what is checked, for messages
 * @throws IdentityError CERTIFICATE_INVALID with everything that does not fit
 */
export function checkGivenSecret(given: GivenSecret, name: string, now: Date): WorkloadSecret {
  const [leaf = ""] = splitPem(given.certificateChainPem);
  const roots = readableCertificates(given.rootPem);
  const facts = reading(`${name} holds no certificate`, () => readCertificate(leaf));
  const fits = reading(`${name} has a key that cannot be read`, () =>
    keyFitsCertificate(given.privateKeyPem, leaf),
  );
  const problems = [
    fits ? undefined : "its key and its certificate are not a pair",
    roots.length > 0 ? undefined : "its root file holds no certificate",
    facts.notAfter > now ? undefined : `it expired at ${facts.notAfter.toISOString()}`,
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) {
    throw new IdentityError("CERTIFICATE_INVALID", `${name} cannot be used: ${problems.join("; ")}`);
  }
  return {
    certificateChainPem: given.certificateChainPem,
    privateKeyPem: given.privateKeyPem,
    rootPem: joinPem(roots),
    ...(given.federatedBundles === undefined ? {} : { federatedBundles: given.federatedBundles }),
    ...(given.crlPem === undefined ? {} : { crlPem: given.crlPem }),
    notBefore: facts.notBefore,
    notAfter: facts.notAfter,
    spiffeId: facts.uris[0] ?? "",
    serial: facts.serial,
  };
}

function reading<T>(otherwise: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new IdentityError("CERTIFICATE_INVALID", `${otherwise}: ${errorMessage(error)}`, error);
  }
}
