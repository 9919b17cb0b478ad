/**
 * JSON Web Key Sets as Envoy takes them: one that it refuses would cost the listener that checks tokens by it.
 */
import { createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";

/** What is pushed of one, in bytes: every chain of a listener has its copy. */
const maxBytes = 65_536;

/** What an answer or a text must be, as the rest of a sentence. */
export const keySetForm = `a set of keys in JSON (RFC 7517) with one that Envoy can use, and at most ${maxBytes / 1024} KiB of those`;

/**
 * The keys of a JSON Web Key Set (RFC 7517) that Envoy can use, written anew: with the members that it reads and no
 * others, as it refuses the whole set for what its own parser of JSON does not take anywhere in it.
 *
 * @returns undefined where there is none, or where they are too long
 */
export function usableKeySet(value: string): string | undefined {
  const keys = keysIn(value).flatMap((key) => usableKey(key) ?? []);
  const set = JSON.stringify({ keys });
  return keys.length > 0 && Buffer.byteLength(set) <= maxBytes ? set : undefined;
}

function keysIn(value: string): readonly unknown[] {
  try {
    const set: unknown = JSON.parse(value);
    const keys: unknown = typeof set === "object" && set !== null ? Reflect.get(set, "keys") : undefined;
    return Array.isArray(keys) ? keys : [];
  } catch {
    return [];
  }
}

/** The algorithms of each kind of key that Envoy knows (RFC 7518, section 3.1; RFC 8037); of a curve it is one. */
const algorithms: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["oct", ["HS256", "HS384", "HS512"]],
  ["RSA", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]],
  ["P-256", ["ES256"]],
  ["P-384", ["ES384"]],
  ["P-521", ["ES512"]],
  ["Ed25519", ["EdDSA"]],
]);

/** Undefined for a key whose parts are not whole, or whose `alg` is none of its kind. */
function usableKey(key: unknown): JsonWebKey | undefined {
  if (typeof key !== "object" || key === null) return undefined;
  const { kty, kid, crv, alg, ...parts }: Readonly<Record<string, unknown>> = { ...key };
  const kind = kty === "EC" || kty === "OKP" ? crv : kty;
  if (alg !== undefined && !algorithms.get(kind)?.some((each) => each === alg)) return undefined;
  const written = keyOf({ kty, crv, ...parts });
  if (written === undefined || (typeof kid === "string" && !kid.isWellFormed())) return undefined;
  return {
    ...written,
    ...(typeof kid === "string" ? { kid } : {}),
    ...(typeof alg === "string" ? { alg } : {}),
  };
}

/** The key itself, without what is said of it. */
function keyOf({ kty, crv, ...given }: Readonly<Record<string, unknown>>): JsonWebKey | undefined {
  const [k, n, e, x, y] = ["k", "n", "e", "x", "y"].map((name) => base64(given[name]));
  switch (kty) {
    case "oct":
      return k === undefined ? undefined : { kty, k };
    case "RSA":
      return n !== undefined && e !== undefined && isRsa(publicKey({ kty, n, e }), n)
        ? { kty, n, e }
        : undefined;
    case "EC":
      return ofCurve(["P-256", "P-384", "P-521"], crv, { kty, x, y });
    case "OKP":
      return ofCurve(["Ed25519"], crv, { kty, x });
    default:
      return undefined;
  }
}

function ofCurve(
  curves: readonly string[],
  crv: unknown,
  parts: { readonly [Name in keyof JsonWebKey]: string | undefined },
): JsonWebKey | undefined {
  const curve = curves.find((each) => each === crv);
  const key = curve === undefined ? undefined : { ...parts, crv: curve };
  return key !== undefined && publicKey(key) !== undefined ? (key as JsonWebKey) : undefined;
}

/** As RFC 7515 has it, without padding; undefined for what is none. */
function base64(text: unknown): string | undefined {
  const isText =
    typeof text === "string" &&
    /^[A-Za-z0-9_-]+={0,2}$/.test(text) &&
    text.replace(/=+$/, "").length % 4 !== 1;
  return isText ? Buffer.from(text, "base64url").toString("base64url") : undefined;
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
