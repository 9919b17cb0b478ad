/**
 * The bootstrap of proxyless gRPC (gRPC's xDS documentation, A27 and A29): where a gRPC library finds its control
 * plane and its certificates.
 */
import { isAbsolute, join } from "node:path";
import type { Json } from "./parameters.ts";

/** What it is made from. */
export interface GrpcBootstrapOptions {
  readonly node: {
    readonly id: string;
    readonly locality: Json;
    readonly metadata: Json;
  };
  /** The agent's ADS socket, relative to `workingDirectory` or absolute: the application has a directory of its own. */
  readonly xdsSocketPath: string;
  /** Folder of `cert-chain.pem`, `key.pem` and `root-cert.pem`; undefined offers no certificates. */
  readonly certificates: string | undefined;
  readonly workingDirectory: string;
}

/** The file as it is written. */
export function grpcBootstrapText(bootstrap: Json): string {
  return `${JSON.stringify(bootstrap, undefined, 2)}\n`;
}

/** The file's content. */
export function grpcBootstrap(options: GrpcBootstrapOptions): Json {
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(options.workingDirectory, path));
  const { certificates: folder, node } = options;
  return {
    xds_servers: [
      {
        server_uri: `unix://${absolute(options.xdsSocketPath)}`,
        channel_creds: [{ type: "insecure" }],
        server_features: ["xds_v3"],
      },
    ],
    node: { id: node.id, locality: node.locality, metadata: node.metadata },
    ...(folder === undefined
      ? {}
      : {
          certificate_providers: {
            default: {
              plugin_name: "file_watcher",
              config: {
                certificate_file: absolute(join(folder, "cert-chain.pem")),
                private_key_file: absolute(join(folder, "key.pem")),
                ca_certificate_file: absolute(join(folder, "root-cert.pem")),
                refresh_interval: "900s",
              },
            },
          },
        }),
    server_listener_resource_name_template: "xds.istio.io/grpc/lds/inbound/%s",
  };
}
