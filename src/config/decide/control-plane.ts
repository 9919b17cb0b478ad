/**
 * How the agent reaches the control plane: the CA and the discovery server, which in Istio are one process.
 */
import type { ServerTrust } from "../../grpc/server-trust.ts";
import type { IdentityOptions } from "../../identity/options.ts";
import { formatHostPort, parseHostPort } from "../../net/host-port.ts";
import type { UpstreamOptions } from "../../xdsproxy/upstream/options.ts";
import { callHeaders } from "./call-headers.ts";
import { compliantTls } from "./compliance.ts";
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";
import {
  caClientCertificate,
  caRootPath,
  type CredentialSources,
  googleToken,
  missingRoot,
  xdsClientCertificate,
  xdsRootPath,
} from "./credentials.ts";
import type { Environment } from "../sources/environment.ts";
import { paths } from "../sources/paths.ts";
import type { ProxyConfig } from "../proxy-config/decode.ts";

/** What the addresses, roots and headers are decided from. */
export interface ControlPlaneSources {
  readonly env: {
    readonly parsed: Environment;
    /** Every variable, for those that are named by a prefix. */
    readonly all: Readonly<Record<string, string | undefined>>;
  };
  readonly proxy: ProxyConfig;
  readonly clusterId: string | undefined;
  /** True when there is a file with something in it. */
  readonly hasContent: (path: string) => boolean;
}

function credentialsOf({ env, proxy, hasContent }: ControlPlaneSources): CredentialSources {
  return { env: env.parsed, proxyMetadata: proxy.proxyMetadata, hasContent };
}

/** A port by which Istio's CA client knows a plain-text control plane. */
const plaintextPort = 15_010;

/**
 * Options of the CA; problems are added for a key that cannot be made, and for what keeps a CA from being asked.
 *
 * @param isAsked false where the certificate comes from elsewhere
 */
export function caOptions(
  sources: ControlPlaneSources,
  isAsked: boolean,
  problems: ConfigProblem[],
): Omit<IdentityOptions, "source" | "cache" | "trustBundles" | "takesPushedBundle"> {
  const env = sources.env.parsed;
  const address = caAddress(sources, isAsked, problems);
  const san = env.CA_ADDR === "" ? env.ISTIOD_SAN : "";
  const credentials = credentialsOf(sources);
  const isPlain = parseHostPort(address)?.port === plaintextPort;
  const root = caRootPath(credentials);
  if (isAsked && !isPlain && root === undefined) problems.push(missingRoot("the CA", "CA_ROOT_CA"));
  if (isAsked && address.includes("googleapis.com")) {
    problems.push({
      source: "CA_ADDR",
      path: "",
      message: `${address} is Google's CA, whose protocol is not Istio's: CA provider "GoogleCA" not registered`,
    });
  }
  return {
    caAddress: address,
    tls: isPlain ? undefined : trust(env, root, serverName(san, address), caClientCertificate(credentials)),
    tokenPath: paths.token,
    googleToken: googleToken(env, problems),
    trustDomain: env.TRUST_DOMAIN,
    namespace: env.POD_NAMESPACE,
    serviceAccount: env.SERVICE_ACCOUNT,
    clusterId: sources.clusterId,
    caHeaders: callHeaders(sources.env.all, "CA_HEADER_", problems),
    certSigner: env.ISTIO_META_CERT_SIGNER,
    requestedTtlMs: env.SECRET_TTL,
    rotation: {
      gracePeriodRatio: env.SECRET_GRACE_PERIOD_RATIO,
      gracePeriodJitter: env.SECRET_GRACE_PERIOD_RATIO_JITTER,
    },
    key: keyAlgorithm(env, problems),
  };
}

function caAddress({ env, proxy }: ControlPlaneSources, isAsked: boolean, problems: ConfigProblem[]): string {
  const given = env.parsed.CA_ADDR;
  if (given === "") return proxy.discoveryAddress;
  if (given.startsWith("unix:")) return given;
  const at = parseHostPort(given);
  if (at !== undefined) return formatHostPort(at);
  if (isAsked) {
    problems.push({
      source: "CA_ADDR",
      path: "",
      message: `${shown(given)} is not host:port, such as istiod.istio-system.svc:15012 or [fd00::1]:15012`,
    });
  }
  return given;
}

/** Options of the ADS connection; a problem is added when its server cannot be authenticated. */
export function discoveryOptions(sources: ControlPlaneSources, problems: ConfigProblem[]): UpstreamOptions {
  const env = sources.env.parsed;
  const address = sources.proxy.discoveryAddress;
  const credentials = credentialsOf(sources);
  const isPlain = sources.proxy.controlPlaneAuthPolicy === "NONE";
  const root = xdsRootPath(credentials);
  if (!isPlain && root === undefined) problems.push(missingRoot("the discovery server", "XDS_ROOT_CA"));
  return {
    address,
    tls: isPlain
      ? undefined
      : trust(env, root, serverName(env.ISTIOD_SAN, address), xdsClientCertificate(credentials)),
    clusterId: sources.clusterId,
    headers: callHeaders(sources.env.all, "XDS_HEADER_", problems),
  };
}

/** Without a root it is TLS all the same: whoever goes on in spite of the problem must not send a token in the clear. */
function trust(
  env: Environment,
  root: string | undefined,
  serverName: string | undefined,
  clientCertificate: ServerTrust["clientCertificate"],
): ServerTrust {
  return {
    rootCertificatePath: root ?? paths.istiodRoot,
    serverName,
    ...compliantTls(env.COMPLIANCE_POLICY),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  };
}

function serverName(san: string, address: string): string | undefined {
  if (san !== "") return san;
  return address.includes("localhost") ? "istiod.istio-system.svc" : undefined;
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
  return { algorithm: "RSA", bits: env.WORKLOAD_RSA_KEY_SIZE, pkcs8: env.PKCS8_KEY };
}
