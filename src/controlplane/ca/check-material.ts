/**
 * Whether a CA's key and certificates can be relied on: every certificate that it signs is refused somewhere else
 * when they cannot, long after the start.
 */
import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from "node:crypto";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { splitPem } from "../../pki/pem.ts";
import { type CaMaterial, withNewline } from "./authority.ts";
import { curves, keyProblem } from "../../pki/key-strength.ts";

/** Names of a CA's files, as Istio has them. */
export const caFileNames = ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"] as const;

/** One of them. */
export type CaFileName = (typeof caFileNames)[number];

/** The CA's files cannot be used; one line for each problem. */
export class CaMaterialError extends Error {
  override readonly name = "CaMaterialError";
  readonly problems: readonly string[];

  constructor(subject: string, problems: readonly string[]) {
    super([`${subject} cannot be used:`, ...problems.map((problem) => `  ${problem}`)].join("\n"));
    this.problems = problems;
  }
}

const strongHashes: ReadonlySet<string> = new Set(["SHA-256", "SHA-384", "SHA-512"]);

/**
 * Check the texts of all files.
 *
 * @param subject whose they are, for people
 * @throws CaMaterialError with everything that is wrong
 */
export async function checkCaFiles(
  subject: string,
  files: Readonly<Record<CaFileName, string>>,
  now: Date,
): Promise<CaMaterial> {
  const problems: string[] = [];
  const attempt = <T>(name: CaFileName, read: (text: string) => T): T | undefined => {
    try {
      return read(files[name]);
    } catch (error) {
      problems.push(`${name}: ${errorMessage(error)}`);
      return undefined;
    }
  };
  const key = attempt("ca-key.pem", readKey);
  const [certificate] = attempt("ca-cert.pem", readCertificates) ?? [];
  const chain = attempt("cert-chain.pem", readCertificates);
  const roots = attempt("root-cert.pem", readCertificates);
  if (certificate !== undefined) {
    problems.push(...authorityProblems(certificate, now).map((problem) => `ca-cert.pem: ${problem}`));
    if (key !== undefined && !isPair(certificate, key))
      problems.push("ca-key.pem: is not the key of ca-cert.pem");
  }
  if (certificate !== undefined && chain !== undefined && roots !== undefined) {
    const path = await pathToRoot(certificate, chain, roots);
    if (path === undefined)
      problems.push(
        "root-cert.pem: no signatures lead from ca-cert.pem over cert-chain.pem to any certificate in it",
      );
    for (const [depth, issuer] of (path ?? []).entries()) {
      const name = roots.includes(issuer) ? "root-cert.pem" : "cert-chain.pem";
      const subjectName = `${name}: ${issuer.subject || "a certificate without a subject"}`;
      problems.push(...authorityProblems(issuer, now, depth + 1).map((one) => `${subjectName} ${one}`));
    }
  }
  if (problems.length > 0 || key === undefined || certificate === undefined)
    throw new CaMaterialError(subject, [...new Set(problems)]);
  return {
    certificate,
    privateKey: await signingKey(key),
    intermediatesPem: [certificate, ...(chain ?? [])]
      .filter((one, index, all) => !isAmong(one, [...(roots ?? []), ...all.slice(0, index)]))
      .map(toText),
    rootPem: (roots ?? []).map(toText).join(""),
  };
}

/** @param below how many authorities there are between this certificate and a workload's */
function authorityProblems(certificate: x509.X509Certificate, now: Date, below = 0): readonly string[] {
  const problems: string[] = [];
  const constraints = certificate.getExtension(x509.BasicConstraintsExtension);
  const usages = certificate.getExtension(x509.KeyUsagesExtension);
  if (constraints?.ca !== true) problems.push("is not a CA's certificate (basicConstraints without CA:TRUE)");
  else if (constraints.pathLength !== undefined && constraints.pathLength < below)
    problems.push(`allows ${constraints.pathLength} authorities below it, and there are ${below} (pathlen)`);
  if (usages !== null && (usages.usages & x509.KeyUsageFlags.keyCertSign) === 0)
    problems.push("may not sign certificates (keyUsage without keyCertSign)");
  if (certificate.notAfter <= now) problems.push(`expired at ${certificate.notAfter.toISOString()}`);
  if (certificate.notBefore > now)
    problems.push(`is valid from ${certificate.notBefore.toISOString()} on only`);
  const publicKey = createPublicKey({
    key: Buffer.from(certificate.publicKey.rawData),
    format: "der",
    type: "spki",
  });
  const weakness = keyProblem(publicKey);
  if (weakness !== undefined) problems.push(`has a key that ${weakness}`);
  // What a root says of itself is not checked by anybody.
  const { name, hash } = certificate.signatureAlgorithm as { name: string; hash?: { name: string } };
  const isSelfIssued = certificate.subject === certificate.issuer;
  if (!isSelfIssued && !strongHashes.has(hash?.name ?? ""))
    problems.push(`is signed with ${hash?.name ?? name}, which peers refuse: sign it with SHA-256`);
  return problems;
}

/** From the certificate's issuer up to a root; empty when the certificate is itself one; undefined without a way. */
async function pathToRoot(
  certificate: x509.X509Certificate,
  chain: readonly x509.X509Certificate[],
  roots: readonly x509.X509Certificate[],
): Promise<readonly x509.X509Certificate[] | undefined> {
  const path: x509.X509Certificate[] = [];
  for (let subject = certificate; !isAmong(subject, roots);) {
    const issuer = await issuerOf(subject, [...roots, ...chain.filter((one) => !isAmong(one, path))]);
    if (issuer === undefined) return undefined;
    path.push(issuer);
    subject = issuer;
  }
  return path;
}

async function issuerOf(
  subject: x509.X509Certificate,
  candidates: readonly x509.X509Certificate[],
): Promise<x509.X509Certificate | undefined> {
  for (const issuer of candidates) {
    if (issuer.subject !== subject.issuer || isAmong(issuer, [subject])) continue;
    const isSigned = await subject
      .verify({ publicKey: issuer.publicKey, signatureOnly: true })
      .catch(() => false);
    if (isSigned) return issuer;
  }
  return undefined;
}

function isAmong(one: x509.X509Certificate, others: readonly x509.X509Certificate[]): boolean {
  return others.some((other) => Buffer.from(other.rawData).equals(Buffer.from(one.rawData)));
}

function isPair(certificate: x509.X509Certificate, key: KeyObject): boolean {
  const own = createPublicKey(key).export({ format: "der", type: "spki" });
  return own.equals(Buffer.from(certificate.publicKey.rawData));
}

/** A private key in PEM. @throws Error that says why it is none */
export function readKey(text: string): KeyObject {
  if (text.includes("ENCRYPTED")) throw new Error("is encrypted: put the key there without a passphrase");
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw new Error(`holds no private key in PEM: ${errorMessage(error)}`, { cause: error });
  }
}

function readCertificates(text: string): readonly x509.X509Certificate[] {
  const documents = splitPem(text);
  if (documents.length === 0) throw new Error("holds no certificate in PEM");
  return documents.map((pem, index) => {
    try {
      return new x509.X509Certificate(pem);
    } catch (error) {
      throw new Error(
        `certificate ${index + 1} of ${documents.length} cannot be read: ${errorMessage(error)}`,
        {
          cause: error,
        },
      );
    }
  });
}

function toText(certificate: x509.X509Certificate): string {
  return withNewline(certificate.toString("pem"));
}

/** As WebCrypto takes it; of a kind that was checked before. */
export function signingKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const der = key.export({ format: "der", type: "pkcs8" });
  const algorithm =
    key.asymmetricKeyType === "ec"
      ? { name: "ECDSA", namedCurve: curves.get(key.asymmetricKeyDetails?.namedCurve ?? "") ?? "" }
      : { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  return webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
}
