/**
 * A gRPC server looked at step by step over one connection, so that the step that fails is known.
 *
 * grpc-js folds everything before the answer into UNAVAILABLE, and a certificate that does not verify is not shown.
 */
import type { ClientHttp2Session } from "node:http2";
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { ChannelTls } from "../grpc/channel.ts";
import { policyOptions } from "../grpc/tls-policy.ts";
import { formatHostPort } from "../net/host-port.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { serverIdentityError, trustedRoots } from "../net/server-authentication.ts";
import { callGrpc, type GrpcAnswer, type GrpcCall, openSession } from "../grpc/bare-call.ts";

/** Steps of a call, in order. */
export type Step = "connect" | "TLS handshake" | "HTTP/2" | "gRPC call";

/** What the server presented, whether or not it verified. */
export interface ServerCertificate {
  readonly subject: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** How far a look came. */
export type EndpointAnswer = {
  readonly tookMs: number;
  readonly certificate: ServerCertificate | undefined;
} & (
  | { readonly kind: "failed"; readonly step: Step; readonly cause: string }
  | { readonly kind: "silent"; readonly step: Step }
  | ({ readonly kind: "answered" } & GrpcAnswer)
);

/** One call that changes nothing. */
export interface EndpointCall extends Omit<GrpcCall, "authority"> {
  /** Host and port as they are configured. */
  readonly host: string;
  readonly port: number;
  /** What the host resolved to. */
  readonly addresses: readonly string[];
  readonly tls: ChannelTls | undefined;
}

/** How long one of several addresses may take before the next is tried beside it, in milliseconds. */
const nextAddressMs = 1_000;

/** Call, and say how far it came by the time that `signal` aborts. Never rejects. */
export async function lookAtEndpoint(call: EndpointCall, signal: AbortSignal): Promise<EndpointAnswer> {
  const started = performance.now();
  const look = new Look(call);
  const answer = await Promise.race([look.run(), abortion(signal)]).catch((error: unknown) => ({
    kind: "failed" as const,
    step: look.step,
    cause: causeOf(error),
  }));
  look.close();
  const outcome = answer ?? { kind: "silent" as const, step: look.step };
  return { ...outcome, certificate: look.certificate, tookMs: Math.round(performance.now() - started) };
}

class Look {
  step: Step = "connect";
  certificate: ServerCertificate | undefined;
  readonly #call: EndpointCall;
  #socket: Socket | undefined;
  #session: ClientHttp2Session | undefined;

  constructor(call: EndpointCall) {
    this.#call = call;
  }

  async run(): Promise<{ readonly kind: "answered" } & GrpcAnswer> {
    const { tls, ...call } = this.#call;
    let socket = await this.#connect();
    if (tls !== undefined) {
      this.step = "TLS handshake";
      socket = await this.#handshake(socket, tls);
    }
    this.step = "HTTP/2";
    this.#session = await openSession(socket, tls === undefined ? "http" : "https");
    this.step = "gRPC call";
    const answer = await callGrpc(this.#session, { authority: tls?.serverName ?? this.#authority, ...call });
    return { kind: "answered", ...answer };
  }

  close(): void {
    this.#session?.destroy();
    this.#socket?.destroy();
  }

  get #authority(): string {
    const { host, port } = this.#call;
    return formatHostPort({ host, port });
  }

  async #connect(): Promise<Socket> {
    const { host, port, addresses } = this.#call;
    const lookup: LookupFunction = (_host, _options, callback) => {
      callback(
        null,
        addresses.map((address) => ({ address, family: isIP(address) })),
      );
    };
    const socket = connectTcp({
      host,
      port,
      lookup,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: nextAddressMs,
    });
    this.#socket = socket;
    await opened(socket, "connect");
    return socket;
  }

  async #handshake(socket: Socket, tls: ChannelTls): Promise<TLSSocket> {
    const name = tls.serverName ?? this.#call.host;
    const secure = connectTls({
      socket,
      host: name,
      servername: isIP(name) === 0 ? name : "",
      ALPNProtocols: ["h2"],
      ...policyOptions(tls.policy),
      ...trustedRoots(tls.rootCertificates),
      checkServerIdentity: serverIdentityError,
      // The certificate is wanted even when it does not verify; nothing is sent then.
      rejectUnauthorized: false,
    });
    this.#socket = secure;
    await opened(secure, "secureConnect");
    const peer = secure.getPeerX509Certificate();
    if (peer !== undefined) {
      this.certificate = {
        subject: peer.subjectAltName ?? peer.subject,
        notBefore: peer.validFromDate,
        notAfter: peer.validToDate,
      };
    }
    const mismatch = serverIdentityError(name, secure.getPeerCertificate());
    if (!secure.authorized) throw new Error(verificationWords(secure, mismatch));
    return secure;
  }
}

/** OpenSSL's codes in the words that the agent's log has for them. */
function verificationWords(socket: TLSSocket, mismatch: Error | undefined): string {
  const code = String(socket.authorizationError);
  switch (code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return mismatch?.message ?? "the certificate's altnames do not match";
    case "CERT_HAS_EXPIRED":
      return "certificate has expired";
    case "CERT_NOT_YET_VALID":
      return "certificate is not yet valid";
    case "SELF_SIGNED_CERT_IN_CHAIN":
      return "self-signed certificate in certificate chain";
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return "unable to verify the first certificate";
    default:
      return `the certificate does not verify: ${code}`;
  }
}

function opened(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => {
      resolve();
    });
    socket.on("error", reject);
    socket.once("close", () => {
      reject(new Error("the server closed the connection"));
    });
  });
}

function abortion(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const done = (): void => {
      resolve(undefined);
    };
    if (signal.aborted) done();
    else signal.addEventListener("abort", done, { once: true });
  });
}

/** In words; of several addresses that failed, Node.js gives all the errors, of which the first will do. */
function causeOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const text = errorMessage(first);
  return /wrong version number|packet length too long/.test(text) ? "it does not speak TLS" : text;
}
