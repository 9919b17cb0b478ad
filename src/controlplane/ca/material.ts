/**
 * Where the CA's key and certificates come from: a plugged-in folder, or a self-signed root that is made once and kept.
 */
import { createPublicKey, type KeyObject, webcrypto } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { writeFileOnce } from "../../files/atomic-file.ts";
import { makeOwnFolder } from "../../files/own-folder.ts";
import { readRegularText } from "../../files/read-regular-file.ts";
import { type CaMaterial, randomSerial, signingAlgorithm, withNewline } from "./authority.ts";
import {
  type CaFileName,
  caFileNames,
  CaMaterialError,
  checkCaFiles,
  readKey,
  signingKey,
} from "./check-material.ts";

/** A CA's folder and what is in it. */
export interface CaFolder {
  /** Every file that counts. */
  readonly paths: readonly string[];
  /** Read and check it as it is now. @throws CaMaterialError with everything that is wrong */
  read(): Promise<CaMaterial>;
}

const rootLifetimeMs = 3_650 * 24 * 3_600_000;

/** A plugged-in CA (Istio's `cacerts`). */
export function pluggedInCa(folder: string): CaFolder {
  return {
    paths: caFileNames.map((name) => join(folder, name)),
    read: () => {
      const missing = caFileNames.filter((name) => !existsSync(join(folder, name)));
      if (missing.length > 0)
        throw new CaMaterialError(`the CA folder ${folder}`, [
          `lacks ${missing.join(", ")}: it needs ${caFileNames.join(", ")}`,
        ]);
      return readFiles(`the CA folder ${folder}`, (name) => join(folder, name));
    },
  };
}

/**
 * The self-signed root of `stateDir`, made when it is not there. A folder that is made is 0700, the key 0600. Several
 * control planes that start at once have one root: the first key stays, and the first certificate for it.
 *
 * @throws CaMaterialError when others may write the folder, or when what is in it is half of a root
 */
export async function openSelfSignedCa(stateDir: string, trustDomain: string): Promise<CaFolder> {
  makeStateFolder(stateDir);
  const keyPath = join(stateDir, "ca-key.pem");
  const certificatePath = join(stateDir, "ca-cert.pem");
  const subject = `the root in ${stateDir} (remove ca-key.pem and ca-cert.pem for a new one)`;
  if (!existsSync(certificatePath)) {
    if (!existsSync(keyPath)) writeFileOnce(keyPath, await newKey(), { durable: true });
    const certificate = await certificateOf(readOwnKey(subject, keyPath), trustDomain);
    writeFileOnce(certificatePath, certificate, { durable: true });
  }
  return {
    paths: [keyPath, certificatePath],
    read: () => readFiles(subject, (name) => (name === "ca-key.pem" ? keyPath : certificatePath)),
  };
}

/** A self-signed root as the files of a CA. */
export async function selfSignedFiles(trustDomain: string): Promise<Readonly<Record<CaFileName, string>>> {
  const key = await newKey();
  const certificate = await certificateOf(readKey(key), trustDomain);
  return {
    "ca-cert.pem": certificate,
    "ca-key.pem": key,
    "cert-chain.pem": certificate,
    "root-cert.pem": certificate,
  };
}

function readOwnKey(subject: string, path: string): KeyObject {
  try {
    return readKey(readRegularText(path));
  } catch (error) {
    throw new CaMaterialError(subject, [`ca-key.pem: ${errorMessage(error)}`]);
  }
}

function makeStateFolder(stateDir: string): void {
  try {
    makeOwnFolder(stateDir);
  } catch (error) {
    throw new CaMaterialError(`--stateDir ${stateDir}`, [errorMessage(error)]);
  }
}

async function readFiles(subject: string, pathOf: (name: CaFileName) => string): Promise<CaMaterial> {
  const texts: Partial<Record<CaFileName, string>> = {};
  const problems: string[] = [];
  for (const name of caFileNames) {
    try {
      texts[name] = readRegularText(pathOf(name));
    } catch (error) {
      problems.push(`${name}: cannot be read: ${errorMessage(error)}`);
    }
  }
  if (problems.length > 0) throw new CaMaterialError(subject, problems);
  return checkCaFiles(subject, texts as Record<CaFileName, string>, new Date());
}

const algorithm = { name: "ECDSA", namedCurve: "P-256" };

async function newKey(): Promise<string> {
  const { privateKey } = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", privateKey));
  return withNewline(x509.PemConverter.encode(der, "PRIVATE KEY"));
}

async function certificateOf(key: KeyObject, trustDomain: string): Promise<string> {
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const privateKey = await signingKey(key);
  const publicKey = await webcrypto.subtle.importKey("spki", spki, privateKey.algorithm, true, ["verify"]);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: `O=${trustDomain}`,
    notBefore: new Date(now),
    notAfter: new Date(now + rootLifetimeMs),
    keys: { privateKey, publicKey },
    signingAlgorithm: signingAlgorithm(privateKey),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return withNewline(certificate.toString("pem"));
}
