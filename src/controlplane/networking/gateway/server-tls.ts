/**
 * TLS that ends at a gateway: certificates from files and of the workload by the agent's SDS, those of Secrets by ADS.
 */
import type { TransportSocketJson } from "../../../proto/envoy/envoy/config/core/v3/base_pb.js";
import type {
  CertificateValidationContextJson,
  TlsParametersJson,
} from "../../../proto/envoy/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import type { SdsSecretConfigJson } from "../../../proto/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import {
  type CommonTlsContextJson,
  DownstreamTlsContextSchema,
} from "../../../proto/envoy/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { takenSuites } from "../../config/cipher-suites.ts";
import type { GatewayServerSpec } from "../../config/objects.ts";
import { packed } from "../any.ts";
import { agentSecret, fileSecret } from "../tls.ts";

type ServerTls = NonNullable<GatewayServerSpec["tls"]>;

const versions = {
  TLS_AUTO: "TLS_AUTO",
  TLSV1_0: "TLSv1_0",
  TLSV1_1: "TLSv1_1",
  TLSV1_2: "TLSv1_2",
  TLSV1_3: "TLSv1_3",
} as const;

/** Names of the Secret's parts, as Istio has them. */
export const secretNames = {
  certificate: (credential: string): string => urlOf(credential),
  root: (credential: string): string => `${urlOf(credential)}-cacert`,
};

/** Names that say a namespace are whole. */
function urlOf(credential: string): string {
  return credential.includes("://") ? credential : `kubernetes://${credential}`;
}

/** The server's side of TLS. */
export function gatewayTls(tls: ServerTls): TransportSocketJson {
  const { mode = "SIMPLE" } = tls;
  const asksForClient = mode !== "SIMPLE";
  return {
    name: "envoy.transport_sockets.tls",
    typedConfig: packed(DownstreamTlsContextSchema, {
      requireClientCertificate: asksForClient && mode !== "OPTIONAL_MUTUAL",
      commonTlsContext: {
        alpnProtocols: ["h2", "http/1.1"],
        tlsParams: parameters(tls),
        tlsCertificateSdsSecretConfigs: [...certificatesOf(tls)],
        ...(asksForClient ? clientValidation(tls) : {}),
      },
    }),
  };
}

function parameters({
  minProtocolVersion,
  maxProtocolVersion,
  cipherSuites = [],
}: ServerTls): TlsParametersJson {
  const suites = takenSuites(cipherSuites);
  return {
    tlsMinimumProtocolVersion: minProtocolVersion === undefined ? "TLSv1_2" : versions[minProtocolVersion],
    ...(maxProtocolVersion === undefined ? {} : { tlsMaximumProtocolVersion: versions[maxProtocolVersion] }),
    ...(suites.length === 0 ? {} : { cipherSuites: [...suites] }),
  };
}

function certificatesOf(tls: ServerTls): readonly SdsSecretConfigJson[] {
  if (tls.mode === "ISTIO_MUTUAL") return [agentSecret("default")];
  const credentials = credentialsOf(tls);
  if (credentials.length > 0) return credentials.map((name) => pushedSecret(secretNames.certificate(name)));
  return [fileSecret(`file-cert:${tls.serverCertificate ?? ""}~${tls.privateKey ?? ""}`)];
}

/** Names of its Secrets: a certificate of RSA and one of ECDSA perhaps, the first of which has the root for clients. */
export function credentialsOf({ credentialName, credentialNames = [] }: ServerTls): readonly string[] {
  return credentialName === undefined ? credentialNames : [credentialName];
}

function clientValidation(tls: ServerTls): CommonTlsContextJson {
  const { subjectAltNames = [], verifyCertificateSpki = [], verifyCertificateHash = [] } = tls;
  const [credential] = credentialsOf(tls);
  const root =
    tls.mode === "ISTIO_MUTUAL"
      ? agentSecret("ROOTCA")
      : credential === undefined
        ? fileSecret(`file-root:${tls.caCertificates ?? ""}`)
        : pushedSecret(secretNames.root(credential));
  const context: CertificateValidationContextJson = {
    ...(subjectAltNames.length === 0
      ? {}
      : {
          matchTypedSubjectAltNames: subjectAltNames.flatMap((exact) =>
            (["DNS", "URI"] as const).map((sanType) => ({ sanType, matcher: { exact } })),
          ),
        }),
    ...(verifyCertificateSpki.length === 0 ? {} : { verifyCertificateSpki: [...verifyCertificateSpki] }),
    ...(verifyCertificateHash.length === 0 ? {} : { verifyCertificateHash: [...verifyCertificateHash] }),
  };
  return {
    combinedValidationContext: { defaultValidationContext: context, validationContextSdsSecretConfig: root },
  };
}

/** A secret that comes with the configuration, or not: other servers of the port do not wait for it for ever. */
function pushedSecret(name: string): SdsSecretConfigJson {
  return { name, sdsConfig: { ads: {}, resourceApiVersion: "V3" } };
}
