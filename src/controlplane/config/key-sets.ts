/**
 * JSON Web Key Sets as Envoy takes them: one without a usable key would cost the listener that checks tokens by it.
 */
import { createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";

/** A JSON Web Key Set (RFC 7517) with a key that Envoy can use; it passes over others beside that one. */
export function isKeySet(value: string): boolean {
  try {
    const set: unknown = JSON.parse(value);
    const keys: unknown = typeof set === "object" && set !== null ? Reflect.get(set, "keys") : undefined;
    return Array.isArray(keys) && keys.some(isUsable);
  } catch {
    return false;
  }
}

/** The algorithm of each curve (RFC 7518, section 3.4). */
const curves: ReadonlyMap<unknown, string> = new Map([
  ["P-256", "ES256"],
  ["P-384", "ES384"],
  ["P-521", "ES512"],
]);

/** True for a key whose parts are whole and whose `alg`, if any, is one of its kind. */
function isUsable(key: unknown): boolean {
  if (typeof key !== "object" || key === null) return false;
  const { kty, crv, alg, k, n, e, x, y }: JsonWebKey = Object.fromEntries(Object.entries(key));
  const isFor = (form: RegExp): boolean => typeof alg !== "string" || form.test(alg);
  switch (kty) {
    case "oct":
      return isFor(/^HS/) && isBase64(k);
    case "RSA":
      return isFor(/^(?:RS|PS)/) && isBase64(n) && isBase64(e) && isRsa(publicKey({ kty, n, e }), n);
    case "EC":
      return (
        isFor(new RegExp(`^${curves.get(crv) ?? "none"}$`)) && publicKey({ kty, crv, x, y }) !== undefined
      );
    case "OKP":
      return crv === "Ed25519" && isFor(/^EdDSA$/) && publicKey({ kty, crv, x }) !== undefined;
    default:
      return false;
  }
}

function isBase64(text: unknown): text is string {
  return (
    typeof text === "string" &&
    /^[A-Za-z0-9_-]+={0,2}$/.test(text) &&
    text.replace(/=+$/, "").length % 4 !== 1
  );
}

/** What BoringSSL takes: an odd modulus of 512 to 16,384 bits, an odd exponent of at most 33 bits. */
function isRsa(key: KeyObject | undefined, modulus: string): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key?.asymmetricKeyDetails ?? {};
  const isOdd = ((Buffer.from(modulus, "base64url").at(-1) ?? 0) & 1) === 1;
  return (
    isOdd &&
    modulusLength >= 512 &&
    modulusLength <= 16_384 &&
    publicExponent % 2n === 1n &&
    publicExponent >= 3n &&
    publicExponent < 2n ** 33n
  );
}

/** The key with these parts; undefined where they make none, as a point that is not on its curve. */
function publicKey(parts: { readonly [Name in keyof JsonWebKey]: unknown }): KeyObject | undefined {
  try {
    return createPublicKey({ key: parts as JsonWebKey, format: "jwk" });
  } catch {
    return undefined;
  }
}
