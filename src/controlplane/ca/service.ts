/**
 * Istio's certificate service.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GrpcError } from "../../grpc/grpc-error.ts";
import type { GrpcService } from "../../grpc/server.ts";
import { IstioCertificateRequestSchema, IstioCertificateResponseSchema } from "../../proto/agent/ca_pb.js";
import type { Logger } from "../../telemetry/log.ts";
import { spiffeId } from "../networking/names.ts";
import type { TokenAuthenticator } from "./authenticate.ts";
import { type CertificateAuthority, SigningError } from "./authority.ts";

/** What the service needs. */
export interface CaServiceOptions {
  readonly authority: CertificateAuthority;
  readonly authenticator: TokenAuthenticator;
  readonly trustDomain: string;
  readonly log: Logger;
}

/** `istio.v1.auth.IstioCertificateService`. */
export function certificateService(options: CaServiceOptions): GrpcService {
  const { authority, authenticator, trustDomain, log } = options;
  return {
    name: "istio.v1.auth.IstioCertificateService",
    unary: {
      CreateCertificate: async (message, context) => {
        const { namespace, serviceAccount } = await authenticator.authenticate(
          context.metadata("authorization"),
        );
        const request = fromBinary(IstioCertificateRequestSchema, message);
        const identity = spiffeId(trustDomain, namespace, serviceAccount);
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
          if (!(error instanceof SigningError)) throw error;
          log.warn("certificate refused", { identity, reason: error.message });
          throw new GrpcError("INVALID_ARGUMENT", error.message);
        }
      },
    },
  };
}
