/**
 * Istio's certificate service, `istio.v1.auth.IstioCertificateService/CreateCertificate`.
 *
 * Token and root are read at each call, and a connection lives for one call: both files are replaced while the
 * agent runs, and calls are hours apart.
 */
import { readFileSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GrpcChannel } from "../grpc/channel.ts";
import { GrpcError } from "../grpc/grpc-error.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { IstioCertificateRequestSchema, IstioCertificateResponseSchema } from "../proto/agent/ca_pb.js";
import { IdentityError } from "./identity-error.ts";
import type { IdentityOptions } from "./options.ts";
import { readToken } from "./token.ts";

const method = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

/** Deadline of one call, in milliseconds. */
const callTimeoutMs = 10_000;

/**
 * Have a request signed. Resolves to the chain, leaf first and root last, at least two elements.
 *
 * @throws IdentityError
 */
export async function signRequest(
  options: IdentityOptions,
  requestPem: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const token = readToken(options.tokenPath, new Date());
  using channel = new GrpcChannel({ address: options.caAddress, tls: readTls(options) });
  const request = create(IstioCertificateRequestSchema, {
    csr: requestPem,
    validityDuration: BigInt(Math.round(options.requestedTtlMs / 1_000)),
    metadata: { CertSigner: options.certSigner },
  });
  let response: Buffer;
  try {
    response = await channel.unary({
      path: method,
      request: toBinary(IstioCertificateRequestSchema, request),
      metadata: {
        ...options.caHeaders,
        ...(options.clusterId === undefined ? {} : { clusterid: options.clusterId }),
        authorization: `Bearer ${token}`,
      },
      timeoutMs: callTimeoutMs,
      signal,
    });
  } catch (error) {
    throw explainFailure(GrpcError.from(error, options.caAddress), options);
  }
  const { certChain } = fromBinary(IstioCertificateResponseSchema, response);
  if (certChain.length < 2) {
    throw new IdentityError(
      "CERTIFICATE_INVALID",
      `the CA ${options.caAddress} answered with ${certChain.length} certificates, of which at least a leaf and a root are needed`,
    );
  }
  return certChain;
}

function readTls(options: IdentityOptions): ConstructorParameters<typeof GrpcChannel>[0]["tls"] {
  const { tls } = options;
  if (tls === undefined) return undefined;
  const serverName = tls.serverName;
  if (tls.rootCertificatePath === "SYSTEM") return { rootCertificates: undefined, serverName };
  try {
    return { rootCertificates: readFileSync(tls.rootCertificatePath), serverName };
  } catch (error) {
    throw new IdentityError(
      "ROOT_MISSING",
      `the CA's root ${tls.rootCertificatePath} cannot be read: ${errorMessage(error)}. ` +
        "Mount the ConfigMap istio-ca-root-cert there, or name another file in CA_ROOT_CA",
      error,
    );
  }
}

function explainFailure(error: GrpcError, options: IdentityOptions): IdentityError {
  const { caAddress: address } = options;
  const words = error.details;
  switch (error.code) {
    case "UNAUTHENTICATED":
      return new IdentityError(
        "CA_UNAUTHENTICATED",
        `the CA ${address} does not accept the token ${options.tokenPath}: ${words}. Check its audience, issuer and expiry`,
        error,
      );
    case "UNAVAILABLE":
    case "DEADLINE_EXCEEDED":
      return isTrustFailure(words)
        ? new IdentityError(
            "CA_UNTRUSTED",
            `the CA ${address} is not trusted by ${options.tls?.rootCertificatePath ?? "any root"}: ${words}. ` +
              "Mount the root of this control plane there, or name it in CA_ROOT_CA",
            error,
          )
        : new IdentityError(
            "CA_UNAVAILABLE",
            `the CA ${address} cannot be reached: ${words}. Check CA_ADDR or discoveryAddress, and that the control plane runs`,
            error,
          );
    default:
      return new IdentityError("CA_REJECTED", `the CA ${address} refused: ${error.code}: ${words}`, error);
  }
}

/** OpenSSL's and Node.js' words for a certificate that does not verify. */
function isTrustFailure(details: string): boolean {
  return /certificate|altnames|self.signed|CERT_|verify/i.test(details);
}
