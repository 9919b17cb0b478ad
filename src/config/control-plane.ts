/**
 * How the agent reaches the control plane: the CA and the discovery server, which in Istio are one process.
 */
import { join } from "node:path";
import type { ServerTrust } from "../grpc/server-trust.ts";
import type { IdentityOptions } from "../identity/options.ts";
import type { UpstreamOptions } from "../xdsproxy/options.ts";
import type { ConfigProblem } from "./config-problem.ts";
import type { Environment } from "./environment.ts";
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

/** Options of the CA; problems are added for a key that cannot be made. */
export function caOptions(
  sources: ControlPlaneSources,
  problems: ConfigProblem[],
): Omit<IdentityOptions, "source" | "cache" | "trustBundles"> {
  const env = sources.env.parsed;
  const address = env.CA_ADDR === "" ? sources.proxy.discoveryAddress : env.CA_ADDR;
  const san = env.CA_ADDR === "" ? env.ISTIOD_SAN : "";
  return {
    caAddress: address,
    tls: address.endsWith(plaintextPort) ? undefined : trust(env, env.CA_ROOT_CA, serverName(san, address)),
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

/** Options of the ADS connection. */
export function discoveryOptions(sources: ControlPlaneSources): UpstreamOptions {
  const env = sources.env.parsed;
  const address = sources.proxy.discoveryAddress;
  return {
    address,
    tls:
      sources.proxy.controlPlaneAuthPolicy === "NONE"
        ? undefined
        : trust(env, env.XDS_ROOT_CA, serverName(env.ISTIOD_SAN, address)),
    clusterId: sources.clusterId,
    headers: headers(sources.env.all, "XDS_HEADER_"),
  };
}

function trust(env: Environment, root: string, name: string | undefined): ServerTrust {
  return {
    rootCertificatePath: rootPath(env, root),
    serverName: name,
    ...(env.PROV_CERT === ""
      ? {}
      : {
          clientCertificate: {
            certificateChainPath: join(env.PROV_CERT, "cert-chain.pem"),
            privateKeyPath: join(env.PROV_CERT, "key.pem"),
          },
        }),
  };
}

/** Istio's order: told, custom, provisioned, istiod's. */
function rootPath(env: Environment, chosen: string): string {
  if (chosen !== "") return chosen;
  if (env.PROV_CERT !== "" && env.PILOT_CERT_PROVIDER !== "custom")
    return join(env.PROV_CERT, "root-cert.pem");
  return env.PILOT_CERT_PROVIDER === "custom" ? paths.customRoot : paths.istiodRoot;
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
