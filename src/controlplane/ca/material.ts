/**
 * Where the CA's key and certificates come from: a plugged-in folder, or a self-signed root that is made once and kept.
 */
import { createPrivateKey, webcrypto } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { type CaMaterial, randomSerial, signingAlgorithm, withNewline } from "./authority.ts";

/** The CA's files cannot be used; the message says which and why. */
export class CaMaterialError extends Error {
  override readonly name = "CaMaterialError";
}

/** File names of a plugged-in CA (Istio's `cacerts`). */
const pluggedIn = ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"] as const;

const rootLifetimeMs = 3_650 * 24 * 3_600_000;

/** Read a plugged-in CA. @throws CaMaterialError that lists every missing file */
export async function readPluggedInCa(folder: string): Promise<CaMaterial> {
  const missing = pluggedIn.filter((name) => !existsSync(join(folder, name)));
  if (missing.length > 0) {
    throw new CaMaterialError(
      `the CA folder ${folder} lacks ${missing.join(", ")}: it needs ${pluggedIn.join(", ")}`,
    );
  }
  const read = (name: (typeof pluggedIn)[number]): string => readFileSync(join(folder, name), "utf8");
  try {
    const certificate = new x509.X509Certificate(read("ca-cert.pem"));
    const rootPem = withNewline(read("root-cert.pem"));
    const privateKey = await importKey(read("ca-key.pem"));
    const chain = x509.PemConverter.decode(read("cert-chain.pem")).map(
      (der) => new x509.X509Certificate(der),
    );
    const root = new x509.X509Certificate(rootPem);
    return {
      certificate,
      privateKey,
      intermediatesPem: chain
        .filter((entry) => !entry.equal(root))
        .map((entry) => withNewline(entry.toString("pem"))),
      rootPem,
    };
  } catch (error) {
    throw new CaMaterialError(`the CA folder ${folder} cannot be used: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** The self-signed root of `stateDir`, made when it is not there. The folder is 0700, the key 0600. */
export async function openSelfSignedCa(stateDir: string, trustDomain: string): Promise<CaMaterial> {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  chmodSync(stateDir, 0o700);
  const keyPath = join(stateDir, "ca-key.pem");
  const certificatePath = join(stateDir, "ca-cert.pem");
  if (!existsSync(keyPath) || !existsSync(certificatePath)) {
    await createRoot(keyPath, certificatePath, trustDomain);
  }
  try {
    const rootPem = withNewline(readFileSync(certificatePath, "utf8"));
    const privateKey = await importKey(readFileSync(keyPath, "utf8"));
    return { certificate: new x509.X509Certificate(rootPem), privateKey, intermediatesPem: [], rootPem };
  } catch (error) {
    throw new CaMaterialError(
      `the root in ${stateDir} cannot be used: ${errorMessage(error)}. Remove ca-key.pem and ca-cert.pem for a new one`,
      { cause: error },
    );
  }
}

async function createRoot(keyPath: string, certificatePath: string, trustDomain: string): Promise<void> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: `O=${trustDomain}`,
    notBefore: new Date(now),
    notAfter: new Date(now + rootLifetimeMs),
    keys,
    signingAlgorithm: signingAlgorithm(keys.privateKey),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  writeFileAtomic(keyPath, withNewline(x509.PemConverter.encode(key, "PRIVATE KEY")));
  writeFileAtomic(certificatePath, withNewline(certificate.toString("pem")));
}

/** Any key form that OpenSSL reads, as a signing key. */
async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const key = createPrivateKey(pem);
  const der = key.export({ format: "der", type: "pkcs8" });
  const curves: Readonly<Record<string, string>> = {
    prime256v1: "P-256",
    secp384r1: "P-384",
    secp521r1: "P-521",
  };
  const algorithm =
    key.asymmetricKeyType === "ec"
      ? { name: "ECDSA", namedCurve: curves[key.asymmetricKeyDetails?.namedCurve ?? ""] ?? "P-256" }
      : { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  return webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
}
