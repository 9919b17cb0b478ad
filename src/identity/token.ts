/**
 * The workload's JWT, read from its file at each use: the kubelet replaces the file long before it expires.
 */
import { readFileSync } from "node:fs";
import { errorMessage } from "../lifecycle/error-message.ts";
import { IdentityError } from "./identity-error.ts";

const remedy = "Mount a projected service account token with audience istio-ca there";

/**
 * Read the token.
 *
 * @throws IdentityError TOKEN_MISSING or TOKEN_EXPIRED
 */
export function readToken(path: string, now: Date): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new IdentityError(
      "TOKEN_MISSING",
      `the token ${path} cannot be read: ${errorMessage(error)}. ${remedy}`,
      error,
    );
  }
  return checkToken(text, path, now);
}

/**
 * The token in a file's text. One that has expired is never presented: the CA would only refuse it, and count it.
 *
 * @throws IdentityError TOKEN_MISSING or TOKEN_EXPIRED
 */
export function checkToken(text: string, path: string, now: Date): string {
  const token = text.trim();
  if (token === "") throw new IdentityError("TOKEN_MISSING", `the token ${path} is empty. ${remedy}`);
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
