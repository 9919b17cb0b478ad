import type { ServerTrust } from "../../grpc/server-trust.ts";

/** The discovery server that the proxy forwards to. */
export interface UpstreamOptions {
  /** `host:port`. */
  readonly address: string;
  /** Undefined for plain text (controlPlaneAuthPolicy NONE). */
  readonly tls: ServerTrust | undefined;
  /** Sent as `clusterid`; undefined when the mesh has one cluster. */
  readonly clusterId: string | undefined;
  /** Further gRPC metadata. */
  readonly headers: Readonly<Record<string, string>>;
}
