/**
 * A stand-in for Kubernetes' token issuer, for a mesh on one machine.
 */
import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exportJWK, generateKeyPair, importJWK, type JSONWebKeySet, type JWK, SignJWT } from "jose";
import { errorCode } from "../lifecycle/error-message.ts";
import { writeFileAtomic } from "../files/atomic-file.ts";

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
  issue(request: TokenRequest): Promise<string>;
}

const algorithm = "ES256";
const keyId = "outrider-demo";

/** `iss` of demo tokens. */
export const demoIssuer = "outrider-demo";

/** Open the issuer whose key is in `stateDir/token-key.json` (0600, folder 0700); the key is made when missing. */
export async function openTokenIssuer(stateDir: string): Promise<TokenIssuer> {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  chmodSync(stateDir, 0o700);
  const jwk = await readOrCreateKey(join(stateDir, "token-key.json"));
  const key = await importJWK(jwk, algorithm);
  const { crv = "", x = "", y = "" } = jwk;
  return {
    jwks: { keys: [{ kty: "EC", crv, x, y, kid: keyId, alg: algorithm, use: "sig" }] },
    issuer: demoIssuer,
    issue: ({ namespace, serviceAccount, audience, lifetimeMs }) =>
      new SignJWT({})
        .setProtectedHeader({ alg: algorithm, kid: keyId })
        .setIssuer(demoIssuer)
        .setSubject(`system:serviceaccount:${namespace}:${serviceAccount}`)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(new Date(Date.now() + lifetimeMs))
        .sign(key),
  };
}

async function readOrCreateKey(path: string): Promise<JWK> {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as JWK;
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(privateKey);
  writeFileAtomic(path, `${JSON.stringify(jwk)}\n`);
  return jwk;
}
