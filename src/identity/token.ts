/**
 * The workload's JWT, read from its file at each use: the kubelet replaces the file long before it expires.
 */
import { readFileSync } from "node:fs";
import { errorMessage } from "../lifecycle/error-message.ts";
import { IdentityError } from "./identity-error.ts";

/**
 * Read the token.
 *
 * @throws IdentityError TOKEN_MISSING or TOKEN_EXPIRED; an expired token is never presented
 */
export function readToken(path: string, now: Date): string {
  let token: string;
  try {
    token = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new IdentityError(
      "TOKEN_MISSING",
      `the token ${path} cannot be read: ${errorMessage(error)}. Mount a service account token with audience istio-ca there`,
      error,
    );
  }
  if (token === "") {
    throw new IdentityError(
      "TOKEN_MISSING",
      `the token ${path} is empty: mount a service account token with audience istio-ca there`,
    );
  }
  const expiry = expiryOf(token);
  if (expiry !== undefined && expiry <= now) {
    throw new IdentityError(
      "TOKEN_EXPIRED",
      `the token ${path} expired at ${expiry.toISOString()}: the kubelet should have replaced it; look at its log, or restart the pod`,
    );
  }
  return token;
}

/** A reader for calls that go on without a token: undefined when there is none to present. */
export function createTokenReader(path: string): () => string | undefined {
  return () => {
    try {
      return readToken(path, new Date());
    } catch {
      return undefined;
    }
  };
}

/** The `exp` claim (RFC 7519, section 4.1.4); undefined when the token is opaque or has none. */
function expiryOf(token: string): Date | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    if (typeof claims === "object" && claims !== null && "exp" in claims && typeof claims.exp === "number") {
      return new Date(claims.exp * 1_000);
    }
  } catch {
    return undefined;
  }
  return undefined;
}
