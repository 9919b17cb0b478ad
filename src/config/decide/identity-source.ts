/**
 * Who makes the workload certificate, where it is kept besides memory, and who may read it.
 */
import type { ProxyFlags } from "../sources/proxy-flags.ts";
import { isIP } from "../../net/ip-version.ts";
import { join, resolve } from "node:path";
import {
  type IdentityCacheOptions,
  type IdentityFiles,
  type IdentitySource,
  pathsOf,
} from "../../identity/options.ts";
import type { OutputCertsOptions } from "../../identity/output-certs.ts";
import { formatHostPort, parseHostPort } from "../../net/host-port.ts";
import { readableCertificates } from "../../pki/certificate.ts";
import type { PrivateKeyProviderOptions } from "../../sds/secrets.ts";
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";
import { parseDurationMs } from "../../schema/duration.ts";
import type { ProxyConfig } from "../proxy-config/decode.ts";
import type { Environment } from "../sources/environment.ts";
import { paths } from "../sources/paths.ts";

/** What the choice is made from. */
export interface IdentitySources {
  readonly env: Environment;
  readonly proxyMetadata: Readonly<Record<string, string>>;
  /** True when there is a file with something in it. */
  readonly hasContent: (path: string) => boolean;
  /** Somebody else's SDS server, which Envoy asks. */
  readonly external: { readonly socketPath: string; readonly nodeId: string } | undefined;
}

/** The first that is configured: another SDS server, told to use files, a Workload API, files that are there, the CA. */
export function identitySource(sources: IdentitySources, problems: ConfigProblem[]): IdentitySource {
  const { env } = sources;
  if (env.FILE_MOUNTED_CERTS && env.PROV_CERT !== "") {
    problems.push({
      source: "FILE_MOUNTED_CERTS",
      path: "",
      message: "it excludes PROV_CERT, which authenticates to a CA: set one of them",
    });
  }
  if (sources.external !== undefined) return { kind: "external-sds", ...sources.external };
  if (env.CA_PROVIDER === "GkeWorkloadCertificate") return { kind: "files", files: gkeFiles() };
  if (env.CA_PROVIDER !== "" && env.CA_PROVIDER !== "Citadel") {
    problems.push({
      source: "CA_PROVIDER",
      path: "",
      message: `CA provider ${JSON.stringify(env.CA_PROVIDER)} not registered: use Citadel or GkeWorkloadCertificate`,
    });
  }
  const spiffe = filesIn(paths.spiffeCredentials);
  const hasSpiffe = pathsOf(spiffe).every((path) => sources.hasContent(path));
  if (env.FILE_MOUNTED_CERTS) return { kind: "files", files: hasSpiffe ? spiffe : mountedFiles(sources) };
  if (env.SPIFFE_ENDPOINT_SOCKET !== "") {
    const target = workloadApiTarget(env.SPIFFE_ENDPOINT_SOCKET);
    if (target !== undefined) return { kind: "workload-api", target };
    problems.push({
      source: "SPIFFE_ENDPOINT_SOCKET",
      path: "",
      message: `${shown(env.SPIFFE_ENDPOINT_SOCKET)} is not unix:///absolute/path or tcp://ip:port`,
    });
  }
  if (hasSpiffe) return { kind: "files", files: spiffe };
  const mounted = filesIn(paths.mountedCertificates);
  // The agent's own output is not a source: nothing would ever rotate.
  const isOwnOutput =
    env.OUTPUT_CERTS !== "" && resolve(env.OUTPUT_CERTS) === resolve(paths.mountedCertificates);
  if (!isOwnOutput && pathsOf(mounted).every((path) => sources.hasContent(path)))
    return { kind: "files", files: mounted };
  return { kind: "ca" };
}

/** gRPC's name for the endpoint (SPIFFE_Workload_Endpoint, section 4); undefined when the URI is not of that form. */
export function workloadApiTarget(uri: string): string | undefined {
  const [, path] = /^unix:(?:\/\/)?(\/[^/?#][^?#]*)$/.exec(uri) ?? [];
  if (path !== undefined) return `unix:${path}`;
  const at = uri.startsWith("tcp://") ? parseHostPort(uri.slice("tcp://".length)) : undefined;
  return at !== undefined && isIP(at.host) !== 0 ? formatHostPort(at) : undefined;
}

function filesIn(folder: string): IdentityFiles {
  return {
    certificateChainPath: `${folder}/cert-chain.pem`,
    privateKeyPath: `${folder}/key.pem`,
    rootCertificatePath: `${folder}/root-cert.pem`,
  };
}

function gkeFiles(): IdentityFiles {
  return {
    certificateChainPath: `${paths.spiffeCredentials}/certificates.pem`,
    privateKeyPath: `${paths.spiffeCredentials}/private_key.pem`,
    rootCertificatePath: `${paths.spiffeCredentials}/ca_certificates.pem`,
  };
}

/** The paths of Istio's TLS_CLIENT_ metadata, from ProxyConfig or the environment. */
function mountedFiles({ env, proxyMetadata }: IdentitySources): IdentityFiles {
  const usual = filesIn(paths.mountedCertificates);
  const named = (key: "CERT_CHAIN" | "KEY" | "ROOT_CERT"): string | undefined => {
    const name = `ISTIO_META_TLS_CLIENT_${key}` as const;
    return (proxyMetadata[name] ?? env[name]) || undefined;
  };
  return {
    certificateChainPath: named("CERT_CHAIN") ?? usual.certificateChainPath,
    privateKeyPath: named("KEY") ?? usual.privateKeyPath,
    rootCertificatePath: named("ROOT_CERT") ?? usual.rootCertificatePath,
  };
}

/** ProxyConfig's `caCertificatesPem`. */
export function trustBundles(
  { caCertificatesPem: bundles }: ProxyConfig,
  problems: ConfigProblem[],
): readonly string[] {
  for (const [index, bundle] of bundles.entries()) {
    if (readableCertificates(bundle).length > 0) continue;
    problems.push({
      source: "ProxyConfig",
      path: `caCertificatesPem[${index}]`,
      message: "it holds no PEM certificate",
    });
  }
  return bundles;
}

/** ProxyConfig's `privateKeyProvider`. */
export function privateKeyProvider(
  { privateKeyProvider: given }: ProxyConfig,
  problems: ConfigProblem[],
): PrivateKeyProviderOptions | undefined {
  for (const name of ["cryptomb", "qat"] as const) {
    const provider = given?.[name];
    if (provider === undefined) continue;
    const pollDelayMs = parseDurationMs(provider.pollDelay ?? "");
    if (pollDelayMs !== undefined && pollDelayMs > 0)
      return { name, pollDelayMs, fallback: provider.fallback === true };
    problems.push({
      source: "ProxyConfig",
      path: `privateKeyProvider.${name}.pollDelay`,
      message: "it must be a duration above 0 such as 10ms",
    });
  }
  return undefined;
}

/** Undefined keeps nothing. Unless told it is kept under the configuration path, as far as that is in memory. */
export function identityCache(
  flags: Pick<ProxyFlags, "identityCache" | "identityCacheOnDisk">,
  configPath: string,
): IdentityCacheOptions | undefined {
  const { identityCache: told, identityCacheOnDisk: allowDisk } = flags;
  if (told === "off" || told === "") return undefined;
  if (told === "auto") return { folder: join(configPath, "identity-cache"), allowDisk, isAutomatic: true };
  return { folder: told, allowDisk };
}

/** Undefined when nobody is to be told of a certificate. */
export function outputCertsOptions(
  env: Environment,
  { onRotate }: Pick<ProxyFlags, "onRotate">,
): OutputCertsOptions | undefined {
  if (env.OUTPUT_CERTS === "" && onRotate === undefined) return undefined;
  return {
    folder: env.OUTPUT_CERTS === "" ? undefined : env.OUTPUT_CERTS,
    mode: env.KUBERNETES_SERVICE_HOST === "" ? 0o600 : 0o644,
    onRotate,
  };
}
