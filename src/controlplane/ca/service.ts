/**
 * Istio's certificate service.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GrpcError } from "../../grpc/grpc-error.ts";
import type { GrpcService } from "../../grpc/server.ts";
import {
  type IstioCertificateRequest,
  IstioCertificateRequestSchema,
  IstioCertificateResponseSchema,
} from "../../proto/agent/ca_pb.js";
import { workloadId } from "../../pki/spiffe-id.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Authenticator } from "./authenticate.ts";
import type { CertificateAuthority } from "./authority.ts";
import { SigningError } from "./signing-request.ts";

/** What the service needs. */
export interface CaServiceOptions {
  readonly authority: CertificateAuthority;
  readonly authenticator: Authenticator;
  readonly trustDomain: string;
  readonly log: Logger;
}

/** `istio.v1.auth.IstioCertificateService`. */
export function certificateService(options: CaServiceOptions): GrpcService {
  const { authority, authenticator, trustDomain, log } = options;
  return {
    name: "istio.v1.auth.IstioCertificateService",
    // Nothing of a request is taken in from a caller who may not make one.
    admit: async (context) => {
      await authenticator.authenticate(context.metadata("authorization"));
    },
    unary: {
      CreateCertificate: async (message, context) => {
        const { namespace, serviceAccount } = await authenticator.authenticate(
          context.metadata("authorization"),
        );
        const request = read(message);
        const identity = workloadId(trustDomain, namespace, serviceAccount);
        try {
          const certChain = await authority.signWorkload(
            request.csr,
            identity,
            Number(request.validityDuration) * 1_000,
          );
          log.info("certificate signed", { identity, validitySeconds: Number(request.validityDuration) });
          return toBinary(
            IstioCertificateResponseSchema,
            create(IstioCertificateResponseSchema, { certChain: [...certChain] }),
          );
        } catch (error) {
          if (!(error instanceof SigningError)) {
            log.error("certificate not signed", { identity, reason: errorMessage(error) });
            throw new GrpcError("INTERNAL", errorMessage(error));
          }
          log.warn("certificate refused", { identity, reason: error.message });
          throw new GrpcError("INVALID_ARGUMENT", error.message);
        }
      },
    },
  };
}

function read(message: Uint8Array): IstioCertificateRequest {
  try {
    return fromBinary(IstioCertificateRequestSchema, message);
  } catch (error) {
    throw new GrpcError(
      "INVALID_ARGUMENT",
      `the message is no IstioCertificateRequest: ${errorMessage(error)}`,
    );
  }
}
