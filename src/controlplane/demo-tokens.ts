/**
 * A stand-in for Kubernetes' token issuer, for a mesh on one machine.
 */
import { createPublicKey } from "node:crypto";
import { join } from "node:path";
import { exportJWK, generateKeyPair, importJWK, type JSONWebKeySet, type JWK, SignJWT } from "jose";
import { writeFileOnce } from "../files/atomic-file.ts";
import { makeOwnFolder } from "../files/own-folder.ts";
import { readRegularText } from "../files/read-regular-file.ts";
import { errorCode, errorMessage } from "../lifecycle/error-message.ts";
import { isNamespace, isServiceAccount } from "./ca/caller.ts";

/** Whose token, and for how long. */
export interface TokenRequest {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly audience: string;
  readonly lifetimeMs: number;
}

/** Issues service account tokens. */
export interface TokenIssuer {
  /** The public key. */
  readonly jwks: JSONWebKeySet;
  readonly issuer: string;
  /** @throws Error for names that Kubernetes would not take */
  issue(request: TokenRequest): Promise<string>;
}

const algorithm = "ES256";
const keyId = "outrider-demo";

/** `iss` of demo tokens. */
export const demoIssuer = "outrider-demo";

/** The file of the key in a control plane's folder. */
export function tokenKeyPath(stateDir: string): string {
  return join(stateDir, "token-key.json");
}

/** Open the issuer whose key is in `stateDir/token-key.json` (0600, a folder that is made 0700); the key is made when missing. */
export async function openTokenIssuer(stateDir: string): Promise<TokenIssuer> {
  makeOwnFolder(stateDir);
  const jwk = await readOrCreateKey(tokenKeyPath(stateDir));
  const key = await importJWK(jwk, algorithm);
  const { crv = "", x = "", y = "" } = jwk;
  return {
    jwks: { keys: [{ kty: "EC", crv, x, y, kid: keyId, alg: algorithm, use: "sig" }] },
    issuer: demoIssuer,
    issue: async ({ namespace, serviceAccount, audience, lifetimeMs }) => {
      if (!isNamespace(namespace)) throw new Error(`${namespace} is no name of a namespace`);
      if (!isServiceAccount(serviceAccount))
        throw new Error(`${serviceAccount} is no name of a service account`);
      return new SignJWT({})
        .setProtectedHeader({ alg: algorithm, kid: keyId })
        .setIssuer(demoIssuer)
        .setSubject(`system:serviceaccount:${namespace}:${serviceAccount}`)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(new Date(Date.now() + lifetimeMs))
        .sign(key);
    },
  };
}

async function readOrCreateKey(path: string): Promise<JWK> {
  const before = readTokenKey(path);
  if (before !== undefined) return before;
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(privateKey);
  // Another control plane of the folder may have been quicker: there is one key.
  if (writeFileOnce(path, `${JSON.stringify(jwk)}\n`, { durable: true })) return jwk;
  return readTokenKey(path) ?? jwk;
}

/** Undefined when there is none. */
function readTokenKey(path: string): JWK | undefined {
  try {
    return checkKey(JSON.parse(readRegularText(path)));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw new Error(
      `the demo token key ${path} cannot be used: ${errorMessage(error)}. Remove it for a new one`,
      { cause: error },
    );
  }
}

function checkKey(value: unknown): JWK {
  const jwk = value as JWK | null;
  if (jwk?.kty !== "EC" || jwk.crv !== "P-256" || typeof jwk.d !== "string")
    throw new Error("it is no private key on the curve P-256");
  const { kty, crv, x, y } = jwk;
  createPublicKey({
    key: { kty, crv, ...(x === undefined ? {} : { x }), ...(y === undefined ? {} : { y }) },
    format: "jwk",
  });
  return jwk;
}
