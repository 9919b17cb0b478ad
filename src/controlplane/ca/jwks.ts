/**
 * The keys that tokens are signed with (RFC 7517), as somebody wrote them into a file.
 */
import { createPublicKey, type JsonWebKey } from "node:crypto";
import type { JSONWebKeySet, JWK } from "jose";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { keyProblem } from "../../pki/key-strength.ts";

/** The usable keys and why others are left out, or why nothing can be used. */
export type JwksOutcome =
  | { readonly kind: "read"; readonly jwks: JSONWebKeySet; readonly leftOut: readonly string[] }
  | { readonly kind: "unusable"; readonly problem: string };

/** A token without a key ID is tried with each. */
const maxKeys = 100;

/** Read a JWKS. A set with no key at all is good: nobody is let in. */
export function parseJwks(text: string): JwksOutcome {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return { kind: "unusable", problem: `is not JSON: ${errorMessage(error)}` };
  }
  const keys = typeof parsed === "object" && parsed !== null && "keys" in parsed ? parsed.keys : undefined;
  if (!Array.isArray(keys)) return { kind: "unusable", problem: "has no list of keys" };
  if (keys.length > maxKeys)
    return { kind: "unusable", problem: `has ${keys.length} keys, of which ${maxKeys} are taken at most` };
  const problems = keys.map((key: unknown) => problemOf(key));
  const leftOut = problems.flatMap((problem, index) =>
    problem === undefined ? [] : [`keys[${index}] ${problem}`],
  );
  const usable = keys.filter((_, index) => problems[index] === undefined) as JWK[];
  if (usable.length === 0 && keys.length > 0)
    return { kind: "unusable", problem: `has no key that can be used: ${leftOut.join("; ")}` };
  return { kind: "read", jwks: { keys: usable }, leftOut };
}

function problemOf(key: unknown): string | undefined {
  if (typeof key !== "object" || key === null || Array.isArray(key)) return "is no key";
  if ("d" in key || "k" in key) return "is a private key or a secret: only public keys belong there";
  if ("use" in key && key.use !== "sig") return "is not for signatures (use)";
  try {
    return keyProblem(createPublicKey({ key: key as JsonWebKey, format: "jwk" }));
  } catch (error) {
    return `cannot be read: ${errorMessage(error)}`;
  }
}
