/**
 * Who is calling: a Kubernetes service account token, checked against a JWKS (RFC 7519, RFC 7517).
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify, type JWTVerifyGetKey } from "jose";
import { GrpcError } from "../../grpc/grpc-error.ts";

/** What a token must be. */
export interface JwtOptions {
  readonly jwks: JSONWebKeySet;
  readonly issuer: string;
  /** One of these must be among the token's audiences. */
  readonly audiences: readonly string[];
}

/** An authenticated workload. */
export interface Caller {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Checks tokens. */
export class TokenAuthenticator {
  readonly #options: JwtOptions;
  readonly #keys: JWTVerifyGetKey;

  constructor(options: JwtOptions) {
    this.#options = options;
    this.#keys = createLocalJWKSet(options.jwks);
  }

  /**
   * @param authorization the `authorization` metadata
   * @throws GrpcError UNAUTHENTICATED that says why, never quoting the token
   */
  async authenticate(authorization: string | undefined): Promise<Caller> {
    const token = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) throw refuse("the call has no bearer token");
    const { issuer, audiences } = this.#options;
    let subject: string | undefined;
    try {
      const { payload } = await jwtVerify(token, this.#keys, { issuer, audience: [...audiences] });
      subject = payload.sub;
    } catch (error) {
      throw refuse(this.#explain(error));
    }
    const match = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(subject ?? "");
    const [, namespace, serviceAccount] = match ?? [];
    if (namespace === undefined || serviceAccount === undefined) {
      throw refuse("the token's subject is not system:serviceaccount:<namespace>:<name>");
    }
    return { namespace, serviceAccount };
  }

  #explain(error: unknown): string {
    if (error instanceof errors.JWTExpired) return "the token has expired";
    if (error instanceof errors.JWTClaimValidationFailed) {
      const { issuer, audiences } = this.#options;
      if (error.claim === "iss") return `the token's issuer is not ${issuer}`;
      if (error.claim === "aud") return `the token's audience is none of ${audiences.join(", ")}`;
      return `the token's claim ${error.claim} is not accepted`;
    }
    if (error instanceof errors.JWKSNoMatchingKey)
      return "the token is signed with a key that is not in the JWKS";
    if (error instanceof errors.JWSSignatureVerificationFailed) return "the token's signature is wrong";
    return "the token cannot be read as a JWT";
  }
}

function refuse(reason: string): GrpcError {
  return new GrpcError("UNAUTHENTICATED", `request authenticate failure: ${reason}`);
}
