/**
 * Mutual TLS on both sides: certificates by SDS from the agent, names checked against SPIFFE identities.
 */
import type { TransportSocketJson } from "../../proto/envoy/envoy/config/core/v3/base_pb.js";
import type { SdsSecretConfigJson } from "../../proto/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../../proto/envoy/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { packed } from "./any.ts";

/** Cluster of the agent's SDS socket in the bootstrap. */
const sdsCluster = "sds-grpc";

const maxServerNameBytes = 255;

const ciphers = [
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "AES256-GCM-SHA384",
  "AES128-GCM-SHA256",
];

function secret(name: "default" | "ROOTCA"): SdsSecretConfigJson {
  return {
    name,
    sdsConfig: {
      apiConfigSource: {
        apiType: "GRPC",
        transportApiVersion: "V3",
        setNodeOnFirstMessageOnly: true,
        grpcServices: [{ envoyGrpc: { clusterName: sdsCluster } }],
      },
      // A listener waits for its certificate rather than serve without one.
      initialFetchTimeout: "0s",
      resourceApiVersion: "V3",
    },
  };
}

/** A server that requires a certificate of one of the trust domains. */
export function serverTls(trustDomains: readonly string[]): TransportSocketJson {
  return {
    name: "envoy.transport_sockets.tls",
    typedConfig: packed(DownstreamTlsContextSchema, {
      requireClientCertificate: true,
      commonTlsContext: {
        alpnProtocols: ["h2", "http/1.1"],
        tlsParams: { tlsMinimumProtocolVersion: "TLSv1_2", cipherSuites: ciphers },
        tlsCertificateSdsSecretConfigs: [secret("default")],
        combinedValidationContext: {
          defaultValidationContext: {
            matchTypedSubjectAltNames: trustDomains.map((trustDomain) => ({
              sanType: "URI" as const,
              matcher: { prefix: `spiffe://${trustDomain}/` },
            })),
          },
          validationContextSdsSecretConfig: secret("ROOTCA"),
        },
      },
    }),
  };
}

/** What a client expects of its server. */
export interface ClientTls {
  readonly sni: string;
  /** SPIFFE identities of which the server must have one; empty accepts any of the trusted root. */
  readonly identities: readonly string[];
  readonly http2: boolean;
}

/** A client with the workload's certificate. */
export function clientTls({ sni, identities, http2 }: ClientTls): TransportSocketJson {
  return {
    name: "envoy.transport_sockets.tls",
    typedConfig: packed(UpstreamTlsContextSchema, {
      // Longer ones are refused by Envoy; a sidecar on the other side does without.
      ...(Buffer.byteLength(sni) > maxServerNameBytes ? {} : { sni }),
      commonTlsContext: {
        alpnProtocols: http2 ? ["istio", "h2"] : ["istio"],
        tlsParams: { tlsMinimumProtocolVersion: "TLSv1_2", tlsMaximumProtocolVersion: "TLSv1_3" },
        tlsCertificateSdsSecretConfigs: [secret("default")],
        combinedValidationContext: {
          defaultValidationContext: {
            matchTypedSubjectAltNames: identities.map((exact) => ({
              sanType: "URI" as const,
              matcher: { exact },
            })),
          },
          validationContextSdsSecretConfig: secret("ROOTCA"),
        },
      },
    }),
  };
}
