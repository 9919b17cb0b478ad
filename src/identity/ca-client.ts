/**
 * Istio's certificate service, `istio.v1.auth.IstioCertificateService/CreateCertificate`.
 *
 * Token and root are read at each call, and a connection lives for one call: both files are replaced while the
 * agent runs, and calls are hours apart.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ChannelOptions, GrpcChannel } from "../grpc/channel.ts";
import { GrpcError } from "../grpc/grpc-error.ts";
import {
  explainConnectionFailure,
  readServerTrust,
  RootFileError,
  type ServerDescription,
} from "../grpc/server-trust.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { IstioCertificateRequestSchema, IstioCertificateResponseSchema } from "../proto/agent/ca_pb.js";
import { type ClockSkew, skewFromDate } from "./clock-skew.ts";
import { IdentityError } from "./identity-error.ts";
import type { IdentityOptions } from "./options.ts";
import { googleMetadata, kubelet, readToken } from "./token.ts";

/** Path of the one method. */
export const createCertificatePath = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

/** Deadline of one call, in milliseconds. */
const callTimeoutMs = 10_000;

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

  readonly #now: () => Date;

  constructor(options: IdentityOptions, now: () => Date) {
    this.#options = options;
    this.#now = now;
    this.#server = describeCa(options);
  }

  /**
   * Have a request signed. Resolves to the chain, leaf first and root last, at least two elements.
   *
   * @param onSkew gets what an answer's `date` proves of the clocks, if it has one
   * @throws IdentityError
   */
  async sign(
    requestPem: string,
    signal: AbortSignal,
    onSkew: (skew: ClockSkew | undefined) => void,
  ): Promise<readonly string[]> {
    const options = this.#options;
    const tls = this.#readTrust();
    const token = this.#readToken(tls?.clientCertificate !== undefined);
    using channel = new GrpcChannel({ address: options.caAddress, tls });
    const request = create(IstioCertificateRequestSchema, {
      csr: requestPem,
      validityDuration: BigInt(Math.round(options.requestedTtlMs / 1_000)),
      metadata: { CertSigner: options.certSigner },
    });
    const metadata = {
      ...options.caHeaders,
      ...(options.clusterId === undefined ? {} : { clusterid: options.clusterId }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
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
      throw error instanceof GrpcError ? this.#explain(error) : error;
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

  /** A client certificate stands in for a token that there is not. */
  #readToken(isAuthenticated: boolean): string | undefined {
    try {
      return readToken(
        this.#options.tokenPath,
        this.#now(),
        this.#options.googleToken === undefined ? kubelet : googleMetadata,
      );
    } catch (error) {
      if (isAuthenticated) return undefined;
      throw error;
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

  #explain(error: GrpcError): IdentityError {
    const { caAddress, tokenPath } = this.#options;
    if (error.code === "UNAVAILABLE" || error.code === "DEADLINE_EXCEEDED") {
      const failure = explainConnectionFailure(error, this.#server);
      const code = failure.kind === "untrusted" ? "CA_UNTRUSTED" : "CA_UNAVAILABLE";
      return new IdentityError(code, failure.message, error);
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
