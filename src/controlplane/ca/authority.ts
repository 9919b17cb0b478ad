/**
 * The certificate authority: signs workload certificates with a self-signed or a plugged-in CA.
 */
import { randomBytes, webcrypto } from "node:crypto";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { type ReadonlyWatch, Watch } from "../../lifecycle/watch.ts";
import { parseSpiffeId } from "../../pki/spiffe-id.ts";
import { readSigningRequest, SigningError } from "./signing-request.ts";

/** A CA certificate with its key and its place below a root. */
export interface CaMaterial {
  readonly certificate: x509.X509Certificate;
  readonly privateKey: webcrypto.CryptoKey;
  /** Certificates between the leaf's issuer and the root, the issuer first; empty when the issuer is the root. */
  readonly intermediatesPem: readonly string[];
  /** One root or several. */
  readonly rootPem: string;
}

/** Limits of validity, in milliseconds. */
export interface ValidityLimits {
  readonly defaultMs: number;
  readonly maxMs: number;
}

/** Certificates are valid a little earlier than now, for clocks that are behind. */
const backdateMs = 2 * 60_000;

const serverAuth = "1.3.6.1.5.5.7.3.1";
const clientAuth = "1.3.6.1.5.5.7.3.2";

/** Names that a certificate is for. */
export type SubjectName = { readonly type: "url" | "dns" | "ip"; readonly value: string };

/** A server's chain, leaf first, and key, PEM. */
export interface ServerCertificate {
  readonly certificateChain: string;
  readonly privateKey: string;
  readonly notAfter: Date;
}

/** The authority; keys stay inside. */
export class CertificateAuthority {
  #material: CaMaterial;
  readonly #limits: ValidityLimits;
  readonly #changes = new Watch(0);

  constructor(material: CaMaterial, limits: ValidityLimits) {
    this.#material = material;
    this.#limits = limits;
  }

  /** Sign with these from now on. False when they are what is in use. */
  replace(material: CaMaterial): boolean {
    if (describe(material) === describe(this.#material)) return false;
    this.#material = material;
    this.#changes.set(this.#changes.current + 1);
    return true;
  }

  /** How often the material was replaced. */
  get changes(): ReadonlyWatch<number> {
    return this.#changes;
  }

  /** The root or the roots, PEM. */
  get rootPem(): string {
    return this.#material.rootPem;
  }

  /**
   * Sign a request for an authenticated workload. The names in the request are ignored: the identity comes from the
   * caller.
   *
   * @param requestedTtlMs zero or less takes the default
   * @returns leaf first, root last
   * @throws SigningError
   */
  async signWorkload(
    requestPem: string,
    spiffeId: string,
    requestedTtlMs: number,
  ): Promise<readonly string[]> {
    const ttlMs = requestedTtlMs <= 0 ? this.#limits.defaultMs : requestedTtlMs;
    if (ttlMs > this.#limits.maxMs) {
      throw new SigningError(
        `CSR signing error (requested TTL ${ttlMs / 1_000}s is greater than the max allowed TTL ${this.#limits.maxMs / 1_000}s)`,
      );
    }
    if (parseSpiffeId(spiffeId) === undefined)
      throw new SigningError("the caller's identity is no SPIFFE ID (SPIFFE-ID standard, section 2)");
    const publicKey = await readSigningRequest(requestPem);
    const material = this.#material;
    const leaf = await issue(material, publicKey, [{ type: "url", value: spiffeId }], ttlMs);
    return [leaf, ...material.intermediatesPem, material.rootPem];
  }

  /** A certificate with a fresh key for a server of the control plane. */
  async issueServer(names: readonly SubjectName[]): Promise<ServerCertificate> {
    const material = this.#material;
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const leaf = await issue(material, keys.publicKey, names, this.#limits.maxMs);
    const privateKey = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
    return {
      certificateChain: [leaf, ...material.intermediatesPem].join(""),
      privateKey: x509.PemConverter.encode(privateKey, "PRIVATE KEY"),
      notAfter: new x509.X509Certificate(leaf).notAfter,
    };
  }
}

async function issue(
  { certificate: issuer, privateKey }: CaMaterial,
  publicKey: x509.PublicKeyType,
  names: readonly SubjectName[],
  ttlMs: number,
): Promise<string> {
  const now = Date.now();
  if (issuer.notAfter.getTime() <= now)
    throw new Error(`the CA's own certificate expired at ${issuer.notAfter.toISOString()}`);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    issuer: issuer.subjectName,
    subject: "",
    notBefore: new Date(Math.max(now - backdateMs, issuer.notBefore.getTime())),
    notAfter: new Date(Math.min(now + ttlMs, issuer.notAfter.getTime())),
    publicKey,
    signingKey: privateKey,
    signingAlgorithm: signingAlgorithm(privateKey),
    extensions: [
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
        true,
      ),
      new x509.ExtendedKeyUsageExtension([serverAuth, clientAuth]),
      new x509.BasicConstraintsExtension(false, undefined, true),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      // Critical because the subject is empty (RFC 5280, section 4.2.1.6).
      new x509.SubjectAlternativeNameExtension(
        names.map(({ type, value }) => ({ type, value })),
        true,
      ),
    ],
  });
  return withNewline(certificate.toString("pem"));
}
/** Equal for the same CA: the key belongs to the certificate. */
function describe({ certificate, intermediatesPem, rootPem }: CaMaterial): string {
  return [certificate.toString("pem"), ...intermediatesPem, rootPem].join("\n");
}

/** 128 random bits; the first one is cleared so that the number is positive. */
export function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01;
  return bytes.toString("hex");
}

/** The signature that fits a CA's key. */
export function signingAlgorithm(key: webcrypto.CryptoKey): { name: string; hash: string } {
  return { name: key.algorithm.name, hash: "SHA-256" };
}

/** PEM blocks end with a newline, so that they can be joined. */
export function withNewline(pem: string): string {
  return `${pem.trim()}\n`;
}
