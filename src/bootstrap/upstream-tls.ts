/**
 * TLS from Envoy to a service of its own, with what the agent's SDS server serves (Istio's ClientTLSSettings).
 */
import type { Json } from "./parameters.ts";

/** TLS to a tracer, a metrics or an access log service. */
export interface TlsSettings {
  readonly mode?: "DISABLE" | "SIMPLE" | "MUTUAL" | "ISTIO_MUTUAL";
  readonly clientCertificate?: string;
  readonly privateKey?: string;
  /** PEM file; the operating system's roots where there is none. */
  readonly caCertificates?: string;
  /** PEM file of revoked certificates. */
  readonly caCrl?: string;
  readonly credentialName?: string;
  readonly subjectAltNames?: readonly string[];
  readonly sni?: string;
  /** Whoever answers is the service. */
  readonly insecureSkipVerify?: boolean;
}

/** Files of node metadata TLS_CLIENT_*, which go before those of the settings. */
export interface ClientFiles {
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly root?: string | undefined;
}

/** What the socket is made for. */
export interface UpstreamTls {
  readonly settings: TlsSettings | undefined;
  readonly isHttp2: boolean;
  /** SNI to a peer of the mesh, where the settings have none. */
  readonly meshSni: string;
}

/** Where secrets come from. */
export interface SecretSources {
  readonly clientFiles: ClientFiles;
  /** Cluster of the SDS server that serves files: another one than the workload's where somebody else serves that. */
  readonly filesCluster: "sds-grpc" | "sds-files-grpc";
}

/** Envoy's `transport_socket`; undefined for plain text. */
export function upstreamTlsSocket(
  { settings, isHttp2, meshSni }: UpstreamTls,
  sources: SecretSources,
): Json | undefined {
  if (settings?.mode === undefined || settings.mode === "DISABLE") return undefined;
  const isIstio = settings.mode === "ISTIO_MUTUAL";
  const sni = settings.sni || (isIstio ? meshSni : "");
  const { clientFiles: files, filesCluster } = sources;
  const certificate = files.certificate ?? settings.clientCertificate ?? "";
  const key = files.key ?? settings.privateKey ?? "";
  const pair = isIstio
    ? workloadSecret("default")
    : sdsSecret(`file-cert:${certificate}~${key}`, filesCluster);
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
      ...(sni === "" ? {} : { sni }),
      common_tls_context: {
        ...(isHttp2 ? { alpn_protocols: isIstio ? ["istio", "h2"] : ["h2"] } : {}),
        ...(settings.mode === "SIMPLE" ? {} : { tls_certificate_sds_secret_configs: [pair] }),
        ...validation(settings, isIstio, sources),
      },
    },
  };
}

function validation(
  settings: TlsSettings,
  isIstio: boolean,
  { clientFiles, filesCluster }: SecretSources,
): { readonly [key: string]: Json } {
  if (!isIstio && settings.insecureSkipVerify === true) return { validation_context: {} };
  const { caCrl = "", subjectAltNames = [] } = settings;
  const root = clientFiles.root ?? (settings.caCertificates || "system");
  const names = subjectAltNames.map((exact) => ({ san_type: "DNS", matcher: { exact } }));
  return {
    combined_validation_context: {
      default_validation_context: {
        ...(names.length === 0 ? {} : { match_typed_subject_alt_names: names }),
        ...(caCrl === "" || isIstio ? {} : { crl: { filename: caCrl } }),
      },
      validation_context_sds_secret_config: isIstio
        ? workloadSecret("ROOTCA")
        : sdsSecret(`file-root:${root}`, filesCluster),
    },
  };
}

function workloadSecret(name: string): Json {
  return sdsSecret(name, "sds-grpc");
}

function sdsSecret(name: string, cluster: string): Json {
  return {
    name,
    sds_config: {
      api_config_source: {
        api_type: "GRPC",
        set_node_on_first_message_only: true,
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: cluster } }],
      },
      initial_fetch_timeout: "0s",
      resource_api_version: "V3",
    },
  };
}
