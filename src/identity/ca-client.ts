/**
 * Istio's certificate service, `istio.v1.auth.IstioCertificateService/CreateCertificate`.
 *
 * Token and root are read at each call, and a connection lives for one call: both files are replaced while the
 * agent runs, and calls are hours apart. What passes soon is asked for again with the same request, as in Istio.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ChannelOptions, GrpcChannel } from "../grpc/channel.ts";
import { GrpcError } from "../grpc/grpc-error.ts";
import {
  type ConnectionFailure,
  explainConnectionFailure,
  readServerTrust,
  RootFileError,
  type ServerDescription,
} from "../grpc/server-trust.ts";
import type { GrpcCode } from "../grpc/status-code.ts";
import type { Backoff } from "../lifecycle/backoff.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { retrying } from "../lifecycle/retry.ts";
import { IstioCertificateRequestSchema, IstioCertificateResponseSchema } from "../proto/agent/ca_pb.js";
import type { Logger } from "../telemetry/log.ts";
import { type ClockSkew, skewFromDate } from "./clock-skew.ts";
import { IdentityError, type IdentityErrorCode } from "./identity-error.ts";
import type { IdentityOptions } from "./options.ts";
import type { IdentityDependencies } from "./secret-store.ts";
import { googleMetadata, kubelet, readToken } from "./token.ts";

/** Path of the one method. */
export const createCertificatePath = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

/** Deadline of one call, in milliseconds. */
const callTimeoutMs = 10_000;

/** What a CA that rolls out, or has much to do, answers (Istio's own choice). */
const transient: ReadonlySet<GrpcCode> = new Set([
  "UNAVAILABLE",
  "ABORTED",
  "RESOURCE_EXHAUSTED",
  "INTERNAL",
]);

/** Calls for one request, and the waits between them, as in Istio. */
const maxCalls = 5;
const transientBackoff: Backoff = { initialMs: 100, multiplier: 2, maxMs: 800, jitter: 0.1 };

/** What else comes out of having a request signed. */
export interface SignListener {
  /** Gets what an answer's `date` proves of the clocks, if it has one. */
  readonly onSkew: (skew: ClockSkew | undefined) => void;
  /** A call failed for a reason that passes, and there will be another. */
  readonly onRetry: () => void;
}

/** The token of a call, or why it goes without one. */
type Credential =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "certificate" }
  | { readonly kind: "none"; readonly missing: IdentityError };

/** The CA in an operator's words. */
export function describeCa(options: Pick<IdentityOptions, "caAddress" | "tls">): ServerDescription {
  return {
    name: "the CA",
    address: options.caAddress,
    tls: options.tls,
    rootSetting: "CA_ROOT_CA",
    addressSetting: "CA_ADDR (discoveryAddress when it is empty)",
  };
}

/** Has certificate requests signed. */
export class CaClient {
  readonly #options: IdentityOptions;
  readonly #server: ServerDescription;
  readonly #log: Logger;
  readonly #now: () => Date;
  /** Connected for the next call. */
  #ahead: GrpcChannel | undefined;
  /** So that a token that is missing is told once. */
  #hadToken = true;

  constructor(options: IdentityOptions, { log, now }: Pick<IdentityDependencies, "log" | "now">) {
    this.#options = options;
    this.#log = log;
    this.#now = now;
    this.#server = describeCa(options);
  }

  /** Connect while a request is made. Disposing ends a connection that no call has taken. */
  connect(): Disposable {
    try {
      const channel = new GrpcChannel({ address: this.#options.caAddress, tls: this.#readTrust() });
      channel.connect();
      this.#ahead = channel;
    } catch {
      // The call will say why.
    }
    return {
      [Symbol.dispose]: () => {
        this.#ahead?.[Symbol.dispose]();
        this.#ahead = undefined;
      },
    };
  }

  /**
   * Have a request signed. Resolves to the chain, leaf first and root last, at least two elements.
   *
   * @throws IdentityError
   */
  async sign(
    requestPem: string,
    signal: AbortSignal,
    { onSkew, onRetry }: SignListener,
  ): Promise<readonly string[]> {
    let calls = 0;
    const call = (): Promise<readonly string[]> => {
      calls += 1;
      return this.#call(requestPem, signal, onSkew);
    };
    return retrying(call, {
      backoff: transientBackoff,
      signal,
      isFinal: (error) => calls === maxCalls || !isTransient(error),
      onFailure: ({ error, delayMs }) => {
        onRetry();
        this.#log.debug("the CA is asked again", { reason: errorMessage(error), delayMs });
      },
    });
  }

  async #call(
    requestPem: string,
    signal: AbortSignal,
    onSkew: SignListener["onSkew"],
  ): Promise<readonly string[]> {
    const options = this.#options;
    const tls = this.#readTrust();
    const credential = this.#readCredential(tls?.clientCertificate !== undefined);
    using channel = this.#ahead ?? new GrpcChannel({ address: options.caAddress, tls });
    this.#ahead = undefined;
    const request = create(IstioCertificateRequestSchema, {
      csr: requestPem,
      validityDuration: BigInt(Math.round(options.requestedTtlMs / 1_000)),
      metadata: { CertSigner: options.certSigner },
    });
    const metadata = {
      ...options.caHeaders,
      ...(options.clusterId === undefined ? {} : { clusterid: options.clusterId }),
      ...(credential.kind === "token" ? { authorization: `Bearer ${credential.token}` } : {}),
    };
    signal.throwIfAborted();
    const askedAt = this.#now();
    try {
      const response = await channel.unary({
        path: createCertificatePath,
        request: toBinary(IstioCertificateRequestSchema, request),
        metadata,
        timeoutMs: callTimeoutMs,
        signal,
        onDate: (date) => {
          onSkew(skewFromDate(date, askedAt, this.#now()));
        },
      });
      return this.#chainOf(response);
    } catch (error) {
      throw error instanceof GrpcError ? this.#explain(error, credential) : error;
    }
  }

  #readTrust(): ChannelOptions["tls"] {
    try {
      return readServerTrust(this.#server);
    } catch (error) {
      if (!(error instanceof RootFileError)) throw error;
      throw new IdentityError("ROOT_MISSING", error.message, error);
    }
  }

  /**
   * A client certificate stands in for a token that there is not. Without either the CA decides, which may know the
   * workload by other means.
   */
  #readCredential(isAuthenticated: boolean): Credential {
    const { tokenPath, googleToken } = this.#options;
    try {
      const keeper = googleToken === undefined ? kubelet : googleMetadata;
      const token = readToken(tokenPath, this.#now(), keeper);
      this.#hadToken = true;
      return { kind: "token", token };
    } catch (error) {
      if (isAuthenticated) return { kind: "certificate" };
      if (!(error instanceof IdentityError) || error.code !== "TOKEN_MISSING") throw error;
      if (this.#hadToken) this.#log.warn("the CA is asked without a token", { reason: error.message });
      this.#hadToken = false;
      return { kind: "none", missing: error };
    }
  }

  #chainOf(response: Buffer): readonly string[] {
    const { caAddress } = this.#options;
    let certChain: readonly string[];
    try {
      ({ certChain } = fromBinary(IstioCertificateResponseSchema, response));
    } catch (error) {
      throw new IdentityError(
        "CERTIFICATE_INVALID",
        `the CA ${caAddress} did not answer with a certificate: ${errorMessage(error)}. Check that CA_ADDR is an Istio CA`,
        error,
      );
    }
    if (certChain.length >= 2) return certChain;
    throw new IdentityError(
      "CERTIFICATE_INVALID",
      `the CA ${caAddress} answered with ${certChain.length} certificates, of which at least a leaf and a root are needed: ` +
        "look at the CA's log",
    );
  }

  #explain(error: GrpcError, credential: Credential): IdentityError {
    const { caAddress, tokenPath } = this.#options;
    if (error.code === "UNAVAILABLE" || error.code === "DEADLINE_EXCEEDED") {
      const failure = explainConnectionFailure(error, this.#server);
      return new IdentityError(codes[failure.kind], failure.message, error);
    }
    if (transient.has(error.code)) {
      return new IdentityError(
        "CA_UNAVAILABLE",
        `the CA ${caAddress} cannot sign now: ${error.code}: ${error.details}. Look at its log when this goes on`,
        error,
      );
    }
    const isAboutCaller = error.code === "UNAUTHENTICATED" || error.code === "PERMISSION_DENIED";
    if (credential.kind === "none" && isAboutCaller) {
      return new IdentityError(
        "TOKEN_MISSING",
        `${credential.missing.message}; the CA ${caAddress} was asked without one and says ${error.code}: ${error.details}`,
        error,
      );
    }
    if (error.code === "UNAUTHENTICATED") {
      return new IdentityError(
        "CA_UNAUTHENTICATED",
        `the CA ${caAddress} does not accept the token ${tokenPath}: ${error.details}. Check its audience, issuer and expiry`,
        error,
      );
    }
    return new IdentityError(
      "CA_REJECTED",
      `the CA ${caAddress} refused to sign: ${error.code}: ${error.details}. ` +
        "Check that TRUST_DOMAIN, POD_NAMESPACE and SERVICE_ACCOUNT are those of the token",
      error,
    );
  }
}

const codes = {
  untrusted: "CA_UNTRUSTED",
  unresolved: "CA_UNRESOLVED",
  unreachable: "CA_UNAVAILABLE",
} as const satisfies Readonly<Record<ConnectionFailure["kind"], IdentityErrorCode>>;

/** A CA whose certificate is not trusted is "unavailable" as well, but not for a moment. */
function isTransient(error: unknown): boolean {
  return (
    error instanceof IdentityError &&
    (error.code === "CA_UNAVAILABLE" || error.code === "CA_UNRESOLVED") &&
    error.cause instanceof GrpcError &&
    transient.has(error.cause.code)
  );
}
