/** The discovery server that the proxy forwards to. */
export interface UpstreamOptions {
  /** `host:port`. */
  readonly address: string;
  /** Undefined for plain text (controlPlaneAuthPolicy NONE). */
  readonly tls:
    | {
        /** PEM file of the server's root; `SYSTEM` takes the operating system's roots. */
        readonly rootCertificatePath: string;
        /** Name in the server's certificate; the address's host unless told. */
        readonly serverName: string | undefined;
      }
    | undefined;
  /** Sent as `clusterid`; undefined when the mesh has one cluster. */
  readonly clusterId: string | undefined;
  /** Further gRPC metadata. */
  readonly headers: Readonly<Record<string, string>>;
}
