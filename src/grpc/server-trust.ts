/**
 * How a client comes to trust a server, and why it did not get through to one, in words that help.
 *
 * Every failure to connect is UNAVAILABLE with the words of the socket or of OpenSSL: they tell a wrong root from a
 * server that is down.
 */
import { readRegularFile } from "../files/read-regular-file.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { keyFitsCertificate, readCertificate } from "../pki/certificate.ts";
import { maxRootBytes, readSystemRoots } from "../pki/system-roots.ts";
import type { ChannelTls } from "./channel.ts";
import { connectionFault } from "./connection-fault.ts";
import type { GrpcError } from "./grpc-error.ts";
import type { TlsPolicy } from "./tls-policy.ts";

/** TLS as it is configured: files are read at each connection, because they are replaced while the agent runs. */
export interface ServerTrust {
  /** PEM file of the roots; `SYSTEM` takes the operating system's. */
  readonly rootCertificatePath: string;
  /** Name that the server's certificate must carry; the address's host unless told. */
  readonly serverName?: string | undefined;
  /** What the connection may be made of; undefined leaves it to the library. */
  readonly policy?: TlsPolicy | undefined;
  /** Authenticates this client; left out while it cannot be used. */
  readonly clientCertificate?: ClientCertificateFiles | undefined;
}

/** PEM files of a client's key and chain. */
export interface ClientCertificateFiles {
  readonly certificateChainPath: string;
  readonly privateKeyPath: string;
}

/** A server as an operator knows it. */
export interface ServerDescription {
  /** With its article: `the CA`. */
  readonly name: string;
  /** `host:port`. */
  readonly address: string;
  readonly tls: ServerTrust | undefined;
  /** Environment variable that names the root file. */
  readonly rootSetting: string;
  /** What sets the address, for people. */
  readonly addressSetting: string;
}

/** The root file cannot be used. */
export class RootFileError extends Error {
  override readonly name = "RootFileError";
}

/** Why a connection failed: the server was not trusted, or not reached. */
export interface ConnectionFailure {
  readonly kind: "untrusted" | "unresolved" | "unreachable";
  /** Which server, and what is wrong. */
  readonly problem: string;
  readonly remedy: string;
  /** Problem and remedy in one. */
  readonly message: string;
}

/**
 * Read what the channel needs.
 *
 * @throws RootFileError
 */
export function readServerTrust(server: ServerDescription): ChannelTls | undefined {
  const { tls } = server;
  if (tls === undefined) return undefined;
  const { serverName, policy } = tls;
  const clientCertificate = readClientCertificate(tls.clientCertificate, new Date());
  if (tls.rootCertificatePath === "SYSTEM")
    return { rootCertificates: readSystemRoots(), serverName, policy, clientCertificate };
  const remedy = `Mount the ConfigMap istio-ca-root-cert there (on a machine, put root-cert.pem of \`istioctl x workload entry configure\` there), or name another file in ${server.rootSetting}`;
  let rootCertificates: Buffer;
  try {
    rootCertificates = readRegularFile(tls.rootCertificatePath, { maxBytes: maxRootBytes });
  } catch (error) {
    throw new RootFileError(
      `the root of ${server.name} ${tls.rootCertificatePath} cannot be read: ${errorMessage(error)}. ${remedy}`,
      { cause: error },
    );
  }
  if (!rootCertificates.includes("-----BEGIN CERTIFICATE-----")) {
    throw new RootFileError(
      `the root of ${server.name} ${tls.rootCertificatePath} holds no PEM certificate. ${remedy}`,
    );
  }
  return { rootCertificates, serverName, policy, clientCertificate };
}

/**
 * Key and chain of a client, read at each handshake. Undefined when they cannot be used now: expired, unreadable,
 * or not of one pair. A server that takes a token as well still lets such a client in.
 */
export function readClientCertificate(
  files: ClientCertificateFiles | undefined,
  now: Date,
): ChannelTls["clientCertificate"] {
  if (files === undefined) return undefined;
  try {
    const certificateChain = readRegularFile(files.certificateChainPath);
    const privateKey = readRegularFile(files.privateKeyPath);
    const { notAfter } = readCertificate(certificateChain.toString("utf8"));
    if (notAfter <= now) return undefined;
    if (!keyFitsCertificate(privateKey.toString("utf8"), certificateChain.toString("utf8"))) return undefined;
    return { certificateChain, privateKey };
  } catch {
    return undefined;
  }
}

/** Explain UNAVAILABLE and DEADLINE_EXCEEDED. */
export function explainConnectionFailure(error: GrpcError, server: ServerDescription): ConnectionFailure {
  return explainCause(causeOf(error.details), server);
}

/** Explain the words of a socket or of OpenSSL. */
export function explainCause(words: string, server: ServerDescription): ConnectionFailure {
  const { name, address, tls } = server;
  const cause = words.replace(advice, "");
  const fault = connectionFault(cause);
  switch (fault) {
    case "wrong-name":
      return explained(
        "untrusted",
        `${name} ${address} has a certificate for another name: ${cause}`,
        "Set ISTIOD_SAN to a DNS name in its certificate, or give it one that has this name (its common name is not enough)",
      );
    case "not-valid-now":
      return explained(
        "untrusted",
        `${name} ${address} has a certificate that is not valid now: ${cause}`,
        "Renew it, and compare the clocks",
      );
    case "untrusted":
      if (tls === undefined) break;
      return explained(
        "untrusted",
        `${name} ${address} is not trusted by the root ${tls.rootCertificatePath}: ${cause}`,
        `Put the root of this control plane into that file, or name another one in ${server.rootSetting}`,
      );
    case "unresolved":
      return explained(
        "unresolved",
        `the name of ${name} ${address} cannot be looked up: ${cause}`,
        `See that a name server of /etc/resolv.conf answers here and knows the name, which ${server.addressSetting} gives`,
      );
    case "unreachable":
      break;
  }
  return explained(
    "unreachable",
    `${name} ${address} cannot be reached: ${cause}`,
    `Check ${server.addressSetting}, and that the control plane runs there`,
  );
}

/** What Node.js adds to OpenSSL's words is about its own command line, which is none of an operator's. */
const advice = /[;,.]?\s*if the root CA is installed locally.*$/is;

function explained(kind: ConnectionFailure["kind"], problem: string, remedy: string): ConnectionFailure {
  return { kind, problem, remedy, message: `${problem}. ${remedy}` };
}

/** Of a name with several addresses the first failure is enough. */
function causeOf(details: string): string {
  const [socketError] = /connect [A-Z]+ [^\s,()]+/.exec(details) ?? [];
  return socketError ?? details.replace(/\.$/, "");
}
