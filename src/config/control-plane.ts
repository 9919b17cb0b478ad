/**
 * How the agent reaches the control plane: the CA and the discovery server, which in Istio are one process.
 */
import { join } from "node:path";
import type { ServerTrust } from "../grpc/server-trust.ts";
import type { IdentityOptions } from "../identity/options.ts";
import type { UpstreamOptions } from "../xdsproxy/options.ts";
import type { ConfigProblem } from "./config-problem.ts";
import type { Environment } from "./environment.ts";
import { mountedFiles } from "./identity-source.ts";
import { paths } from "./paths.ts";
import type { ProxyConfig } from "./proxy-config.ts";

/** What the addresses, roots and headers are decided from. */
export interface ControlPlaneSources {
  readonly env: {
    readonly parsed: Environment;
    /** Every variable, for those that are named by a prefix. */
    readonly all: Readonly<Record<string, string | undefined>>;
  };
  readonly proxy: ProxyConfig;
  readonly clusterId: string | undefined;
}

/** A port by which Istio's CA client knows a plain-text control plane. */
const plaintextPort = ":15010";

/**
 * Options of the CA; problems are added for a key that cannot be made.
 *
 * @param usesCa false where certificates come from elsewhere
 */
export function caOptions(
  sources: ControlPlaneSources,
  usesCa: boolean,
  problems: ConfigProblem[],
): Omit<IdentityOptions, "source" | "cache" | "trustBundles"> {
  const env = sources.env.parsed;
  const address = env.CA_ADDR === "" ? sources.proxy.discoveryAddress : env.CA_ADDR;
  const san = env.CA_ADDR === "" ? env.ISTIOD_SAN : "";
  return {
    caAddress: address,
    tls:
      address.endsWith(plaintextPort) || !usesCa
        ? undefined
        : trust(
            { env, rootSetting: "CA_ROOT_CA", serverName: serverName(san, address), mounted: undefined },
            problems,
          ),
    tokenPath: paths.token,
    trustDomain: env.TRUST_DOMAIN,
    namespace: env.POD_NAMESPACE,
    serviceAccount: env.SERVICE_ACCOUNT,
    clusterId: sources.clusterId,
    caHeaders: headers(sources.env.all, "CA_HEADER_"),
    certSigner: sources.env.all["ISTIO_META_CERT_SIGNER"] ?? "",
    requestedTtlMs: env.SECRET_TTL,
    rotation: {
      gracePeriodRatio: env.SECRET_GRACE_PERIOD_RATIO,
      gracePeriodJitter: env.SECRET_GRACE_PERIOD_RATIO_JITTER,
    },
    key: keyAlgorithm(env, problems),
  };
}

/** Options of the ADS connection; problems are added for a root that nothing names. */
export function discoveryOptions(sources: ControlPlaneSources, problems: ConfigProblem[]): UpstreamOptions {
  const env = sources.env.parsed;
  const address = sources.proxy.discoveryAddress;
  return {
    address,
    tls:
      sources.proxy.controlPlaneAuthPolicy === "NONE"
        ? undefined
        : trust(
            {
              env,
              rootSetting: "XDS_ROOT_CA",
              serverName: serverName(env.ISTIOD_SAN, address),
              mounted: mountedTrust(sources),
            },
            problems,
          ),
    clusterId: sources.clusterId,
    headers: headers(sources.env.all, "XDS_HEADER_"),
  };
}

/** Who is trusted with what. */
interface TrustSources {
  readonly env: Environment;
  /** Variable that names the root file. */
  readonly rootSetting: "CA_ROOT_CA" | "XDS_ROOT_CA";
  readonly serverName: string | undefined;
  /** Files that this workload has from elsewhere than the CA, which authenticate it; undefined when it has none. */
  readonly mounted: MountedTrust | undefined;
}

interface MountedTrust {
  readonly certificateChainPath: string;
  readonly privateKeyPath: string;
  /** Set where it is named. */
  readonly rootCertificatePath: string | undefined;
}

function trust(
  { env, rootSetting, serverName, mounted }: TrustSources,
  problems: ConfigProblem[],
): ServerTrust {
  const clientCertificate =
    env.PROV_CERT === ""
      ? mounted && {
          certificateChainPath: mounted.certificateChainPath,
          privateKeyPath: mounted.privateKeyPath,
        }
      : {
          certificateChainPath: join(env.PROV_CERT, "cert-chain.pem"),
          privateKeyPath: join(env.PROV_CERT, "key.pem"),
        };
  return {
    rootCertificatePath: rootPath(env, rootSetting, mounted, problems),
    serverName,
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  };
}

/** Istio's order: told, custom, provisioned, mounted, istiod's. */
function rootPath(
  env: Environment,
  rootSetting: TrustSources["rootSetting"],
  mounted: MountedTrust | undefined,
  problems: ConfigProblem[],
): string {
  const provider = env.PILOT_CERT_PROVIDER;
  if (env[rootSetting] !== "") return env[rootSetting];
  if (provider === "custom") return paths.customRoot;
  if (env.PROV_CERT !== "") return join(env.PROV_CERT, "root-cert.pem");
  if (mounted?.rootCertificatePath !== undefined) return mounted.rootCertificatePath;
  if (provider === "none") {
    problems.push({
      source: "PILOT_CERT_PROVIDER",
      path: "",
      message: `none names no root to verify the control plane with: set ${rootSetting}, to SYSTEM for the system's roots`,
    });
  }
  return paths.istiodRoot;
}

/** With FILE_MOUNTED_CERTS the certificate of the workload opens the way to discovery as well. */
function mountedTrust({ env, proxy }: ControlPlaneSources): MountedTrust | undefined {
  if (!env.parsed.FILE_MOUNTED_CERTS) return undefined;
  const { certificateChainPath, privateKeyPath } = mountedFiles({
    all: env.all,
    proxyMetadata: proxy.proxyMetadata,
  });
  const root = proxy.proxyMetadata["ISTIO_META_TLS_CLIENT_ROOT_CERT"];
  return { certificateChainPath, privateKeyPath, rootCertificatePath: root === "" ? undefined : root };
}

function serverName(san: string, address: string): string | undefined {
  if (san !== "") return san;
  return address.includes("localhost") ? "istiod.istio-system.svc" : undefined;
}

function headers(
  env: Readonly<Record<string, string | undefined>>,
  prefix: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      name.startsWith(prefix) && value !== undefined
        ? [[name.slice(prefix.length).toLowerCase(), value]]
        : [],
    ),
  );
}

function keyAlgorithm(env: Environment, problems: ConfigProblem[]): IdentityOptions["key"] {
  const algorithm = env.ECC_SIGNATURE_ALGORITHM;
  if (algorithm === "ECDSA") {
    if (env.ECC_CURVE === "P256" || env.ECC_CURVE === "P384")
      return { algorithm: "ECDSA", curve: env.ECC_CURVE, pkcs8: env.PKCS8_KEY };
    problems.push({ source: "ECC_CURVE", path: "", message: `${env.ECC_CURVE} is not P256 or P384` });
  } else if (algorithm !== "") {
    problems.push({
      source: "ECC_SIGNATURE_ALGORITHM",
      path: "",
      message: `${algorithm} is not known: use ECDSA, or leave it empty for RSA`,
    });
  }
  if (env.WORKLOAD_RSA_KEY_SIZE < 2048) {
    problems.push({
      source: "WORKLOAD_RSA_KEY_SIZE",
      path: "",
      message: `${env.WORKLOAD_RSA_KEY_SIZE} bits are too few: use 2048 or more`,
    });
  }
  return { algorithm: "RSA", bits: env.WORKLOAD_RSA_KEY_SIZE, pkcs8: env.PKCS8_KEY };
}
