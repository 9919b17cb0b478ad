/**
 * One real TLS handshake with one process, where several may listen on the same port.
 */
import { createHash } from "node:crypto";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { errorMessage } from "../lifecycle/error-message.ts";
import { Timer } from "../lifecycle/timer.ts";
import { isAcceptedBy } from "./accepting-process.ts";

/** Whom to greet and how. */
export interface TlsProbe {
  readonly host: string;
  readonly port: number;
  /** Only an answer of this process counts. */
  readonly pid: number;
  readonly serverName: string | undefined;
  /** ALPN; empty offers none. */
  readonly protocols: readonly string[];
  /** Certificate of the client, for servers that ask for one; PEM. */
  readonly client: { readonly certificateChainPem: string; readonly privateKeyPem: string } | undefined;
}

/** The handshake's end. */
export type TlsProbeResult =
  /** `fingerprint256` is the SHA-256 of the served leaf in hex, `names` its subject alternative names. */
  | { readonly kind: "served"; readonly fingerprint256: string; readonly names: string }
  | { readonly kind: "failed"; readonly reason: string }
  /** Others answered each time. */
  | { readonly kind: "not-reached"; readonly attempts: number };

/** Chance has each process accept its share: after so many tries it is not chance any more. */
const maxAttempts = 40;
const connectMs = 1_000;
const acceptMs = 250;
const handshakeMs = 2_000;

/** Connect until the process answers, and shake hands with it. Never rejects. */
export async function probeTls(probe: TlsProbe): Promise<TlsProbeResult> {
  let refusal: string | undefined;
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    try {
      const socket = await openConnection(probe.host, probe.port);
      try {
        if (await isAcceptedBy(probe.pid, socket, acceptMs)) return await shakeHands(probe, socket);
      } finally {
        socket.destroy();
      }
    } catch (error) {
      refusal = errorMessage(error);
    }
    if (refusal !== undefined) return { kind: "failed", reason: refusal };
  }
  return { kind: "not-reached", attempts: maxAttempts };
}

function openConnection(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port });
    const limit = new Timer(connectMs, () => {
      socket.destroy(new Error(`no connection to ${host}:${port} within ${connectMs} ms`));
    });
    socket.once("close", () => {
      limit.cancel();
    });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", () => undefined);
      limit.cancel();
      resolve(socket);
    });
  });
}

function shakeHands(probe: TlsProbe, socket: Socket): Promise<TlsProbeResult> {
  return new Promise((resolve) => {
    const fail = (reason: string): void => {
      deadline.cancel();
      resolve({ kind: "failed", reason });
    };
    const deadline = new Timer(handshakeMs, () => {
      fail(`no TLS handshake within ${handshakeMs} ms`);
    });
    const secured = connectTls({
      socket,
      // Who serves is known already; what is asked is whether it can serve.
      rejectUnauthorized: false,
      ...(probe.serverName === undefined ? {} : { servername: probe.serverName }),
      ...(probe.protocols.length === 0 ? {} : { ALPNProtocols: [...probe.protocols] }),
      ...(probe.client === undefined
        ? {}
        : { cert: probe.client.certificateChainPem, key: probe.client.privateKeyPem }),
    });
    secured.once("error", (error) => {
      fail(errorMessage(error));
    });
    secured.once("secureConnect", () => {
      deadline.cancel();
      const { raw, subjectaltname } = secured.getPeerCertificate();
      resolve({
        kind: "served",
        fingerprint256: createHash("sha256").update(raw).digest("hex"),
        names: subjectaltname ?? "",
      });
      secured.destroy();
    });
  });
}
