/**
 * Who is calling: a Kubernetes service account token, checked against a JWKS (RFC 7519, RFC 7517).
 *
 * Sizes come first: whoever calls has proven nothing yet.
 */
import {
  compactVerify,
  type CompactVerifyResult,
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from "jose";
import { GrpcError } from "../../grpc/grpc-error.ts";
import { type Caller, type ExpectedClaims, readCaller, type ReadSubject } from "./caller.ts";

/** What a token must be. */
export interface JwtOptions extends ExpectedClaims {
  readonly jwks: JSONWebKeySet;
  /** Where `jwks` was read, and is read again when it changes. */
  readonly jwksFile?: string | undefined;
}

/** Largest `authorization`, in bytes; tokens have some 1 KiB. */
const maxAuthorizationBytes = 16_384;

/** Signatures with public keys, and none with SHA-1. */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

/** Says who is calling. */
export interface Authenticator {
  /**
   * @param authorization the `authorization` metadata
   * @throws GrpcError
   */
  authenticate(authorization: string | undefined): Promise<Caller>;
}

/** Checks tokens. */
export class TokenAuthenticator implements Authenticator {
  readonly #expected: ExpectedClaims;
  readonly #subject: ReadSubject | undefined;
  #keys: KeyLookup;

  /** @param subject reads whom claims prove; Kubernetes' unless told */
  constructor(options: Pick<JwtOptions, "issuer" | "audiences" | "jwks">, subject?: ReadSubject) {
    this.#expected = options;
    this.#subject = subject;
    this.#keys = keyLookup(options.jwks);
  }

  /** Check against these keys, and no others, from now on. */
  trust(jwks: JSONWebKeySet): void {
    this.#keys = keyLookup(jwks);
  }

  /**
   * @param authorization the `authorization` metadata
   * @throws GrpcError UNAUTHENTICATED that says which check failed, never quoting the token
   */
  async authenticate(authorization: string | undefined, now = new Date()): Promise<Caller> {
    const token = bearerToken(authorization);
    const outcome = readCaller(await this.#claims(token), this.#expected, now, this.#subject);
    if (outcome.kind === "refused") throw refuseCaller(`the token ${outcome.reason}`);
    return outcome.caller;
  }

  async #claims(token: string): Promise<unknown> {
    try {
      const { payload } = await verify(token, this.#keys);
      return JSON.parse(new TextDecoder("utf8", { fatal: true }).decode(payload));
    } catch (error) {
      throw refuseCaller(explain(error));
    }
  }
}

type Key = Awaited<ReturnType<ReturnType<typeof createLocalJWKSet>>>;
type KeyLookup = (header: JWSHeaderParameters | undefined, input: FlattenedJWSInput) => Promise<Key>;

/** By key ID where there is one on both sides, else every key that fits the algorithm. */
function keyLookup(jwks: JSONWebKeySet): KeyLookup {
  const byId = createLocalJWKSet(jwks);
  const nameless = createLocalJWKSet({ keys: jwks.keys.filter(({ kid }) => kid === undefined) });
  return async (header, input) => {
    try {
      return await byId(header, input);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      const { kid: _, ...rest } = header ?? {};
      return await nameless(rest);
    }
  };
}

/** With several keys that may be the one, each is tried. */
async function verify(token: string, keys: KeyLookup): Promise<CompactVerifyResult> {
  try {
    return await compactVerify(token, keys, { algorithms });
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return await compactVerify(token, key, { algorithms });
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** As an authenticator says it whose keys may be old. */
export const unknownKey = "the token is signed with a key that is not in the JWKS";

function explain(error: unknown): string {
  if (error instanceof errors.JWKSNoMatchingKey) return unknownKey;
  if (error instanceof errors.JWSSignatureVerificationFailed) return "the token's signature is wrong";
  if (error instanceof errors.JOSEAlgNotAllowed)
    return `the token's signature algorithm is none of ${algorithms.join(", ")} (alg)`;
  return "the token cannot be read as a JWT";
}

/** @throws GrpcError UNAUTHENTICATED where there is none */
export function bearerToken(authorization: string | undefined): string {
  if (authorization === undefined) throw refuseCaller("the call has no bearer token");
  if (authorization.length > maxAuthorizationBytes)
    throw refuseCaller(`the token is longer than ${maxAuthorizationBytes} bytes`);
  const token = /^Bearer ([\w.-]+)$/i.exec(authorization)?.[1];
  if (token === undefined) throw refuseCaller("the call has no bearer token");
  return token;
}

/** Nobody who may call. @param reason which check failed */
export function refuseCaller(reason: string): GrpcError {
  return new GrpcError("UNAUTHENTICATED", `request authenticate failure: ${reason}`);
}
