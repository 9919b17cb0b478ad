/** A root, and certificates signed by it, by a library that shares no code with the agent's own. */
// oxlint-disable-next-line import/no-unassigned-import -- what @peculiar/x509 is built on wants it loaded first
import "reflect-metadata";
import { randomUUID, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const subjectAlternativeName = "2.5.29.17";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface IssuedKeyPair {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** Validity from `startMs` to `endMs`, relative to now. */
export function validity(startMs: number, endMs: number): Validity {
  return { notBefore: new Date(Date.now() + startMs), notAfter: new Date(Date.now() + endMs) };
}

/** Of a leaf (X509-SVID, sections 4.1 to 4.3): no authority, and a key that signs no certificate. */
function leafExtensions(): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
  ];
}

function authorityExtensions(): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
}

/** What a CA reads of a request. */
export interface RequestFacts {
  readonly isSignedByItsKey: boolean;
  readonly publicKeyDer: Buffer;
  readonly subject: unknown;
  readonly names: unknown;
  readonly isNameCritical: boolean;
  readonly hash: string;
}

export async function readRequest(pem: string): Promise<RequestFacts> {
  const request = new x509.Pkcs10CertificateRequest(pem);
  const name = request.extensions.find((extension) => extension.type === subjectAlternativeName);
  const { hash } = request.signatureAlgorithm as { hash?: { name: string } };
  return {
    isSignedByItsKey: await request.verify(),
    publicKeyDer: Buffer.from(request.publicKey.rawData),
    subject: request.subjectName.toJSON(),
    names: name === undefined ? [] : new x509.SubjectAlternativeNameExtension(name.rawData).names.toJSON(),
    isNameCritical: name?.critical === true,
    hash: hash?.name ?? "",
  };
}

function nameType(name: string): "ip" | "dns" | "url" {
  if (name.includes("://")) return "url";
  return /^[\d.]+$/.test(name) ? "ip" : "dns";
}

export class TestPki {
  readonly #root: x509.X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(root: x509.X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.#root = root;
    this.#keys = keys;
  }

  static async create(): Promise<TestPki> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      ...validity(-86_400_000, 86_400_000),
      name: `O=test root ${randomUUID()}`,
      keys,
      signingAlgorithm: algorithm,
      extensions: authorityExtensions(),
    });
    return new TestPki(root, keys);
  }

  /** An authority below this one; its `rootPem` is the intermediate certificate. */
  async intermediate(): Promise<TestPki> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity(-86_400_000, 86_400_000),
      subject: `O=test intermediate ${randomUUID()}`,
      issuer: this.#root.subject,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: authorityExtensions(),
    });
    return new TestPki(certificate, keys);
  }

  get rootPem(): string {
    return this.#root.toString("pem");
  }

  /**
   * Sign what a request asks for: its key and its SAN, or this URI instead.
   *
   * @throws Error when it is not signed by its own key
   */
  async sign(requestPem: string, valid: Validity, uri?: string): Promise<string> {
    const request = new x509.Pkcs10CertificateRequest(requestPem);
    if (!(await request.verify())) throw new Error("the request's signature is wrong");
    const name =
      uri === undefined
        ? request.getExtension(subjectAlternativeName)
        : new x509.SubjectAlternativeNameExtension([{ type: "url", value: uri }]);
    return this.#issue(request.publicKey, name === null ? [] : [name], valid);
  }

  /** A key and certificate for addresses, host names and URIs, and with a common name if one is given. */
  async serverKeyPair(
    hosts: readonly string[],
    valid: Validity,
    commonName?: string,
  ): Promise<IssuedKeyPair> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const names = hosts.map((host) => ({ type: nameType(host), value: host }) as const);
    const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
    return {
      certificatePem: await this.#issue(
        keys.publicKey,
        names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...names])],
        valid,
        commonName === undefined ? undefined : `CN=${commonName}`,
      ),
      privateKeyPem: `-----BEGIN PRIVATE KEY-----\n${key.toString("base64")}\n-----END PRIVATE KEY-----\n`,
    };
  }

  /** A DER list of these certificates as revoked. */
  async revoke(certificatePems: readonly string[]): Promise<Uint8Array> {
    const { notBefore, notAfter } = validity(-60_000, 3_600_000);
    const list = await x509.X509CrlGenerator.create({
      issuer: this.#root.subject,
      thisUpdate: notBefore,
      nextUpdate: notAfter,
      entries: certificatePems.map((pem) => ({
        serialNumber: new x509.X509Certificate(pem).serialNumber,
        revocationDate: notBefore,
        // Without one the library writes an empty list of extensions, which BoringSSL refuses.
        reason: x509.X509CrlReason.keyCompromise,
      })),
      signingAlgorithm: algorithm,
      signingKey: this.#keys.privateKey,
    });
    return new Uint8Array(list.rawData);
  }

  async #issue(
    publicKey: x509.PublicKeyType,
    extensions: x509.Extension[],
    valid: Validity,
    subject?: string,
  ): Promise<string> {
    const certificate = await x509.X509CertificateGenerator.create({
      ...valid,
      ...(subject === undefined ? {} : { subject }),
      issuer: this.#root.subject,
      publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [...leafExtensions(), ...extensions],
    });
    return certificate.toString("pem");
  }
}
