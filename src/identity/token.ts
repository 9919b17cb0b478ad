/**
 * The workload's JWT, read from its file at each use: the kubelet replaces the file long before it expires.
 */
import { statSync } from "node:fs";
import { readRegularText } from "../files/read-regular-file.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { formatDuration } from "../lifecycle/format-duration.ts";
import { IdentityError } from "./identity-error.ts";

/** Who keeps the token fresh, as remedies. */
export interface TokenKeeper {
  /** There is none. */
  readonly missing: string;
  /** It has not been replaced in time. */
  readonly expired: string;
}

/** The node's kubelet, for a projected volume. */
export const kubelet: TokenKeeper = {
  missing: "Mount a projected service account token with audience istio-ca there",
  expired: "the kubelet should have replaced it; look at its log, or restart the pod",
};

/** Google's metadata server, through this agent. */
export const googleMetadata: TokenKeeper = {
  missing: "It comes from Google's metadata server: look for what the log says of that",
  expired: "Google's metadata server should have given another one; look for what the log says of that",
};

/**
 * Read the token.
 *
 * @throws IdentityError TOKEN_MISSING or TOKEN_EXPIRED
 */
export function readToken(path: string, now: Date, keeper: TokenKeeper = kubelet): string {
  let text: string;
  let writtenAt: Date;
  try {
    text = readRegularText(path);
    writtenAt = statSync(path).mtime;
  } catch (error) {
    throw new IdentityError(
      "TOKEN_MISSING",
      `the token ${path} cannot be read: ${errorMessage(error)}. ${keeper.missing}`,
      error,
    );
  }
  return checkToken(text, path, now, { writtenAt, keeper });
}

/**
 * The token in a file's text. One that has expired is never presented: the CA would only refuse it, and count it.
 *
 * @throws IdentityError TOKEN_MISSING or TOKEN_EXPIRED
 */
export function checkToken(
  text: string,
  path: string,
  now: Date,
  { writtenAt, keeper = kubelet }: { readonly writtenAt?: Date; readonly keeper?: TokenKeeper } = {},
): string {
  const token = text.trim();
  if (token === "") throw new IdentityError("TOKEN_MISSING", `the token ${path} is empty. ${keeper.missing}`);
  const expiry = readClaims(token)?.exp;
  if (expiry !== undefined && expiry <= now) {
    throw new IdentityError(
      "TOKEN_EXPIRED",
      `the token ${path} expired at ${expiry.toISOString()}, ${age(expiry, now)} ago` +
        (writtenAt === undefined ? "" : `, and its file was last written ${age(writtenAt, now)} ago`) +
        `: ${keeper.expired}`,
    );
  }
  return token;
}

/** How long something is from `since` to `now`, for people; never negative. */
export function age(since: Date, now: Date): string {
  return formatDuration(now.getTime() - since.getTime());
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

/** Claims of a JWT (RFC 7519, section 4.1) that say for whom and for how long it is. */
export interface TokenClaims {
  readonly exp?: Date;
  readonly iat?: Date;
  readonly nbf?: Date;
  readonly audiences: readonly string[];
  readonly subject?: string;
}

/** The claims of a token, unverified; undefined when it is opaque. */
export function readClaims(token: string): TokenClaims | undefined {
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
  if (typeof claims !== "object" || claims === null) return undefined;
  const fields = claims as Readonly<Record<string, unknown>>;
  const time = (name: "exp" | "iat" | "nbf"): Partial<Record<typeof name, Date>> => {
    const seconds = fields[name];
    return typeof seconds === "number" ? { [name]: new Date(seconds * 1_000) } : {};
  };
  const { aud, sub } = fields;
  return {
    ...time("exp"),
    ...time("iat"),
    ...time("nbf"),
    audiences: (Array.isArray(aud) ? aud : aud === undefined ? [] : [aud]).map(String),
    ...(typeof sub === "string" ? { subject: sub } : {}),
  };
}
