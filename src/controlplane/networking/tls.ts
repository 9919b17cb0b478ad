/**
 * Mutual TLS on both sides: certificates by SDS from the agent, names checked against SPIFFE identities.
 */
import type { TransportSocketJson } from "../../proto/envoy/envoy/config/core/v3/base_pb.js";
import type { SdsSecretConfigJson } from "../../proto/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../../proto/envoy/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { Service } from "../model/model.ts";
import { packed } from "./any.ts";
import type { Policies } from "./destination-rules.ts";

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

/** A secret of the agent that every workload has: its own certificate, or the mesh's root. */
export function agentSecret(name: string): SdsSecretConfigJson {
  // A listener waits for its certificate rather than serve without one.
  return secretOf(name, { initialFetchTimeout: "0s" });
}

/**
 * What the agent reads from files that a rule names, which may not be there: it is waited for as long as Envoy waits anyway (15 s), and not
 * for ever, as what else is in the listener or comes with the cluster would wait as well.
 */
export function fileSecret(name: string): SdsSecretConfigJson {
  return secretOf(name, {});
}

function secretOf(name: string, waiting: { readonly initialFetchTimeout?: string }): SdsSecretConfigJson {
  return {
    name,
    sdsConfig: {
      apiConfigSource: {
        apiType: "GRPC",
        transportApiVersion: "V3",
        setNodeOnFirstMessageOnly: true,
        grpcServices: [{ envoyGrpc: { clusterName: sdsCluster } }],
      },
      ...waiting,
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
        tlsCertificateSdsSecretConfigs: [agentSecret("default")],
        combinedValidationContext: {
          defaultValidationContext: {
            matchTypedSubjectAltNames: trustDomains.map((trustDomain) => ({
              sanType: "URI" as const,
              matcher: { prefix: `spiffe://${trustDomain}/` },
            })),
          },
          validationContextSdsSecretConfig: agentSecret("ROOTCA"),
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

type Origination = NonNullable<Policies["tls"]>;

/** A client of a server that is not the mesh's: SIMPLE, or MUTUAL with a certificate from files. */
export function originationTls(tls: Origination, service: Service, http2: boolean): TransportSocketJson {
  const names = tls.subjectAltNames ?? service.subjectAltNames;
  const certificate = `file-cert:${tls.clientCertificate ?? ""}~${tls.privateKey ?? ""}`;
  const root = tls.caCertificates === undefined ? "file-root:system" : `file-root:${tls.caCertificates}`;
  const validation = {
    defaultValidationContext: {
      ...(names.length === 0
        ? {}
        : {
            matchTypedSubjectAltNames: names.flatMap((exact) =>
              (["DNS", "URI"] as const).map((sanType) => ({ sanType, matcher: { exact } })),
            ),
          }),
    },
    validationContextSdsSecretConfig: fileSecret(root),
  };
  return {
    name: "envoy.transport_sockets.tls",
    typedConfig: packed(UpstreamTlsContextSchema, {
      ...(tls.sni === undefined ? {} : { sni: tls.sni }),
      commonTlsContext: {
        ...(http2 ? { alpnProtocols: ["h2"] } : {}),
        tlsParams: { tlsMinimumProtocolVersion: "TLSv1_2", tlsMaximumProtocolVersion: "TLSv1_3" },
        ...(tls.mode === "MUTUAL" ? { tlsCertificateSdsSecretConfigs: [fileSecret(certificate)] } : {}),
        ...(tls.insecureSkipVerify === true ? {} : { combinedValidationContext: validation }),
      },
    }),
  };
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
        tlsCertificateSdsSecretConfigs: [agentSecret("default")],
        combinedValidationContext: {
          defaultValidationContext: {
            matchTypedSubjectAltNames: identities.map((exact) => ({
              sanType: "URI" as const,
              matcher: { exact },
            })),
          },
          validationContextSdsSecretConfig: agentSecret("ROOTCA"),
        },
      },
    }),
  };
}
