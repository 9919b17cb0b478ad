/**
 * What authenticates this workload to the control plane, and the control plane to this workload.
 */
import { join, resolve } from "node:path";
import type { ClientCertificateFiles } from "../../grpc/server-trust.ts";
import type { GoogleTokenOptions } from "../../identity/google-token.ts";
import type { ConfigSources } from "../sources/config-sources.ts";
import { metadataTarget } from "../cloud/metadata-request.ts";
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";
import type { Environment } from "../sources/environment.ts";
import { paths } from "../sources/paths.ts";

/** What the choice is made from. */
export interface CredentialSources {
  readonly env: Environment;
  readonly proxyMetadata: Readonly<Record<string, string>>;
  /** True when there is a file with something in it. */
  readonly hasContent: (path: string) => boolean;
}

/** `hasContent` over a way to read files. */
export function contentCheck(readFile: ConfigSources["readFile"]): CredentialSources["hasContent"] {
  return (path) => {
    const file = readFile(path);
    return file.kind === "read" && file.text.trim() !== "";
  };
}

/** Google's metadata server where the token is to come from it; problems are added for anything else but a mount. */
export function googleToken(env: Environment, problems: ConfigProblem[]): GoogleTokenOptions | undefined {
  switch (env.CREDENTIAL_FETCHER_TYPE) {
    case "":
    case "JWT":
      return undefined;
    case "GoogleComputeEngine":
      if (env.TRUST_DOMAIN === "") {
        problems.push({
          source: "TRUST_DOMAIN",
          path: "",
          message: "it is empty, and is the audience of the token from Google's metadata server: set it",
        });
      }
      return { ...metadataTarget(env.GCE_METADATA_HOST), audience: env.TRUST_DOMAIN };
    default:
      problems.push({
        source: "CREDENTIAL_FETCHER_TYPE",
        path: "",
        message: `invalid credential fetcher type ${JSON.stringify(env.CREDENTIAL_FETCHER_TYPE)}: use JWT or GoogleComputeEngine`,
      });
      return undefined;
  }
}

/** The CA's root: told, custom, provisioned, istiod's. Undefined when PILOT_CERT_PROVIDER says that there is none. */
export function caRootPath({ env }: CredentialSources): string | undefined {
  if (env.CA_ROOT_CA !== "") return env.CA_ROOT_CA;
  if (env.PILOT_CERT_PROVIDER === "custom") return paths.customRoot;
  if (env.PROV_CERT !== "") return join(env.PROV_CERT, "root-cert.pem");
  return env.PILOT_CERT_PROVIDER === "none" ? undefined : paths.istiodRoot;
}

/** The discovery server's, in Istio's order, which is another one: a mounted root comes first. */
export function xdsRootPath({ env, proxyMetadata, hasContent }: CredentialSources): string | undefined {
  if (env.XDS_ROOT_CA !== "") return env.XDS_ROOT_CA;
  // What the agent wrote there itself says nothing about the control plane.
  const isOwnOutput =
    env.OUTPUT_CERTS !== "" && resolve(env.OUTPUT_CERTS) === resolve(paths.mountedCertificates);
  if (env.PILOT_CERT_PROVIDER === "custom" || (!isOwnOutput && hasContent(paths.customRoot)))
    return paths.customRoot;
  if (env.PROV_CERT !== "") return join(env.PROV_CERT, "root-cert.pem");
  const mounted = proxyMetadata["ISTIO_META_TLS_CLIENT_ROOT_CERT"];
  if (env.FILE_MOUNTED_CERTS && mounted) return mounted;
  return env.PILOT_CERT_PROVIDER === "none" ? undefined : paths.istiodRoot;
}

/** What authenticates this client to the CA, besides the token. */
export function caClientCertificate({ env }: CredentialSources): ClientCertificateFiles | undefined {
  if (env.PROV_CERT === "") return undefined;
  return {
    certificateChainPath: join(env.PROV_CERT, "cert-chain.pem"),
    privateKeyPath: join(env.PROV_CERT, "key.pem"),
  };
}

/** The same to the discovery server. */
export function xdsClientCertificate(sources: CredentialSources): ClientCertificateFiles | undefined {
  const { env, proxyMetadata } = sources;
  const provisioned = caClientCertificate(sources);
  if (provisioned !== undefined || !env.FILE_MOUNTED_CERTS) return provisioned;
  const certificateChainPath = proxyMetadata["ISTIO_META_TLS_CLIENT_CERT_CHAIN"];
  const privateKeyPath = proxyMetadata["ISTIO_META_TLS_CLIENT_KEY"];
  return certificateChainPath && privateKeyPath ? { certificateChainPath, privateKeyPath } : undefined;
}

/** There is no root although one is needed. */
export function missingRoot(of: string, setting: string): ConfigProblem {
  return {
    source: "PILOT_CERT_PROVIDER",
    path: "",
    message:
      `none leaves no root that authenticates ${of}: name one in ${setting} (SYSTEM takes the operating system's), ` +
      "or use istiod or custom",
  };
}

/** One line for a provider that Istio does not know. */
export function providerNotices({ PILOT_CERT_PROVIDER: provider }: Environment): readonly string[] {
  if (/^(?:|istiod|custom|none|k8s\.io\/.+)$/.test(provider)) return [];
  return [
    `PILOT_CERT_PROVIDER: ${shown(provider)} is not istiod, custom, none or k8s.io/NAME; taken as istiod`,
  ];
}
