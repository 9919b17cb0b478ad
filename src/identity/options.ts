/**
 * Where the workload's certificate comes from and how it is kept fresh.
 */
import type { ServerTrust } from "../grpc/server-trust.ts";
import type { GoogleTokenOptions } from "./google-token.ts";
import type { KeyAlgorithm } from "../pki/key-pair.ts";

/** Options of the secret manager. The fields of the CA are there for every source: tools look at it too. */
export interface IdentityOptions {
  readonly source: IdentitySource;
  /** `host:port` of the certificate authority. */
  readonly caAddress: string;
  /** Undefined for plain text, which Istio's CA client uses on port 15010. */
  readonly tls: ServerTrust | undefined;
  /** File of the JWT that authenticates the workload; read anew for each call. */
  readonly tokenPath: string;
  /** Who gives that token; undefined where somebody else mounts it. */
  readonly googleToken: GoogleTokenOptions | undefined;
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
  /** PEM bundles that are trusted besides the source's own root (ProxyConfig caCertificatesPem). */
  readonly trustBundles: readonly string[];
  /** True has the bundle that the control plane pushes take the place of these (PROXY_CONFIG_XDS_AGENT). */
  readonly takesPushedBundle: boolean;
  /** Undefined keeps no certificate across restarts. */
  readonly cache: IdentityCacheOptions | undefined;
}

/** Who makes the certificate. */
export type IdentitySource =
  /** Istio's certificate service. */
  | { readonly kind: "ca" }
  /** Whoever writes these files. */
  | { readonly kind: "files"; readonly files: IdentityFiles }
  /** A SPIFFE Workload API at this gRPC target. */
  | { readonly kind: "workload-api"; readonly target: string }
  /** Somebody else's SDS server, which Envoy asks itself; `nodeId` is who asks. */
  | { readonly kind: "external-sds"; readonly socketPath: string; readonly nodeId: string };

/** Mounted PEM files. */
export interface IdentityFiles {
  readonly certificateChainPath: string;
  readonly privateKeyPath: string;
  readonly rootCertificatePath: string;
}

/** All of them. */
export function pathsOf(files: IdentityFiles): readonly string[] {
  return [files.certificateChainPath, files.privateKeyPath, files.rootCertificatePath];
}

/** Where the last certificate is kept for a start while the CA is down. */
export interface IdentityCacheOptions {
  readonly folder: string;
  /** True keeps the key even on a disk. */
  readonly allowDisk: boolean;
  /** Nobody has asked for it: where it cannot be kept, that is no fault. */
  readonly isAutomatic?: boolean;
}

/** When a certificate is replaced. */
export interface RotationPolicy {
  /** Share of the lifetime that is left when rotation starts, 0 to 1. Istio's default is 0.5. */
  readonly gracePeriodRatio: number;
  /** Largest random change to that share either way, so that a fleet does not rotate at once. */
  readonly gracePeriodJitter: number;
}
