/**
 * TLS of a gRPC server whose certificate is replaced while it listens.
 */
import type { SecureContextOptions } from "node:tls";
import { ServerCredentials } from "@grpc/grpc-js";

/** Key and chain of a TLS server, PEM. */
export interface ServerTls {
  readonly certificateChain: string;
  readonly privateKey: string;
}

/** Credentials as grpc-js takes them. */
export class RenewableCredentials extends ServerCredentials {
  constructor(tls: ServerTls) {
    super({ requestCert: false }, contextOf(tls));
  }

  /** Connections that stand keep what they were made with. */
  renew(tls: ServerTls): void {
    this.updateSecureContextOptions(contextOf(tls));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function contextOf({ certificateChain, privateKey }: ServerTls): SecureContextOptions {
  return { cert: certificateChain, key: privateKey, minVersion: "TLSv1.2" };
}
