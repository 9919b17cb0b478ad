/**
 * Where the workload's certificate comes from and how it is kept fresh.
 */
import type { KeyAlgorithm } from "../pki/certificate-request.ts";

/** Options of the secret manager. */
export interface IdentityOptions {
  /** `host:port` of the certificate authority. */
  readonly caAddress: string;
  /** Undefined for plain text, which Istio's CA client uses on port 15010. */
  readonly tls:
    | {
        /** PEM file of the CA's root; `SYSTEM` takes the operating system's roots. */
        readonly rootCertificatePath: string;
        /** Name in the CA's certificate; the address's host unless told. */
        readonly serverName: string | undefined;
      }
    | undefined;
  /** File of the JWT that authenticates the workload; read anew for each call. */
  readonly tokenPath: string;
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Sent as `clusterid`; undefined when the mesh has one cluster. */
  readonly clusterId: string | undefined;
  /** Further gRPC metadata. */
  readonly caHeaders: Readonly<Record<string, string>>;
  /** Name of the signer in a CA with several; empty for the default one. */
  readonly certSigner: string;
  /** Lifetime asked for, in milliseconds. The CA may give less. */
  readonly requestedTtlMs: number;
  readonly rotation: RotationPolicy;
  readonly key: KeyAlgorithm;
}

/** When a certificate is replaced. */
export interface RotationPolicy {
  /** Share of the lifetime that is left when rotation starts, 0 to 1. Istio's default is 0.5. */
  readonly gracePeriodRatio: number;
  /** Largest random change to that share either way, so that a fleet does not rotate at once. */
  readonly gracePeriodJitter: number;
}
