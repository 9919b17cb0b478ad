/** Files of a plugged-in CA, good or wrong in one way. */
import { randomUUID, webcrypto } from "node:crypto";
// oxlint-disable-next-line import/no-unassigned-import -- what @peculiar/x509 is built on wants it loaded first
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import type { CaFileName } from "../../src/controlplane/ca/check-material.ts";

export type CaFiles = Record<CaFileName, string>;

export interface AuthorityChanges {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly isCa?: boolean;
  readonly pathLength?: number;
  /** False leaves out the right to sign certificates. */
  readonly maySign?: boolean;
  readonly key?: RsaHashedKeyGenParams | EcKeyGenParams;
  readonly hash?: string;
}

type RsaHashedKeyGenParams = webcrypto.RsaHashedKeyGenParams;
type EcKeyGenParams = webcrypto.EcKeyGenParams;

/** One authority. */
export interface TestAuthority {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly keyPem: string;
}

const dayMs = 86_400_000;
const p256 = { name: "ECDSA", namedCurve: "P-256" } as const;

/** RSA of so many bits. */
export function rsaKey(modulusLength: number): RsaHashedKeyGenParams {
  return {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    modulusLength,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
}

/** Self-signed unless there is an issuer. */
export async function testAuthority(
  changes: AuthorityChanges = {},
  issuer?: TestAuthority,
): Promise<TestAuthority> {
  const algorithm = changes.key ?? p256;
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const subject = `O=${randomUUID()}`;
  const signer = issuer?.keys ?? keys;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: "01",
    subject,
    issuer: issuer?.certificate.subject ?? subject,
    notBefore: changes.notBefore ?? new Date(Date.now() - dayMs),
    notAfter: changes.notAfter ?? new Date(Date.now() + dayMs),
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: { name: signer.privateKey.algorithm.name, hash: changes.hash ?? "SHA-256" },
    extensions: [
      new x509.BasicConstraintsExtension(changes.isCa ?? true, changes.pathLength, true),
      new x509.KeyUsagesExtension(
        changes.maySign === false ? x509.KeyUsageFlags.digitalSignature : x509.KeyUsageFlags.keyCertSign,
        true,
      ),
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  return { certificate, keys, keyPem: x509.PemConverter.encode(key, "PRIVATE KEY") };
}

/** An issuing authority below a root. */
export async function certificateFiles(
  changes: AuthorityChanges = {},
  rootChanges: AuthorityChanges = {},
): Promise<CaFiles> {
  const root = await testAuthority(rootChanges);
  const issuing = await testAuthority(changes, root);
  return filesOf(issuing, root);
}

export function filesOf(issuing: TestAuthority, root: TestAuthority): CaFiles {
  return {
    "ca-cert.pem": pem(issuing),
    "ca-key.pem": `${issuing.keyPem}\n`,
    "cert-chain.pem": pem(issuing) + pem(root),
    "root-cert.pem": pem(root),
  };
}

export function pem({ certificate }: TestAuthority): string {
  return `${certificate.toString("pem")}\n`;
}
