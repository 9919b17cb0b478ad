/**
 * The certificate authority: signs workload certificates with a self-signed or a plugged-in CA.
 */
import { randomBytes, webcrypto } from "node:crypto";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { errorMessage } from "../../lifecycle/error-message.ts";

/** A CA certificate with its key and its place below a root. */
export interface CaMaterial {
  readonly certificate: x509.X509Certificate;
  readonly privateKey: webcrypto.CryptoKey;
  /** Certificates between the leaf's issuer and the root, the issuer first; empty when the issuer is the root. */
  readonly intermediatesPem: readonly string[];
  readonly rootPem: string;
}

/** A request that cannot be signed; the message is for the client. */
export class SigningError extends Error {
  override readonly name = "SigningError";
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

/** The authority; keys stay inside. */
export class CertificateAuthority {
  readonly #material: CaMaterial;
  readonly #limits: ValidityLimits;

  constructor(material: CaMaterial, limits: ValidityLimits) {
    this.#material = material;
    this.#limits = limits;
  }

  /** The root, PEM. */
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
    const request = await readRequest(requestPem);
    const leaf = await this.#issue(request.publicKey, [{ type: "url", value: spiffeId }], ttlMs);
    return [leaf, ...this.#material.intermediatesPem, this.#material.rootPem];
  }

  /** A certificate with a fresh key for a server of the control plane. */
  async issueServer(
    names: readonly SubjectName[],
  ): Promise<{ certificateChain: string; privateKey: string }> {
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const leaf = await this.#issue(keys.publicKey, names, this.#limits.maxMs);
    const privateKey = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
    return {
      certificateChain: [leaf, ...this.#material.intermediatesPem].join(""),
      privateKey: x509.PemConverter.encode(privateKey, "PRIVATE KEY"),
    };
  }

  async #issue(publicKey: x509.PublicKeyType, names: readonly SubjectName[], ttlMs: number): Promise<string> {
    const { certificate: issuer, privateKey } = this.#material;
    const now = Date.now();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: randomSerial(),
      issuer: issuer.subject,
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
}

async function readRequest(pem: string): Promise<x509.Pkcs10CertificateRequest> {
  let request: x509.Pkcs10CertificateRequest;
  try {
    request = new x509.Pkcs10CertificateRequest(pem);
  } catch (error) {
    throw new SigningError(`the CSR cannot be read: ${errorMessage(error)}`);
  }
  if (!(await request.verify().catch(() => false))) {
    throw new SigningError("the CSR's signature does not fit its public key");
  }
  return request;
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
