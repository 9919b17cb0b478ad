/** One request over a mutual TLS connection of its own. */
import { connect, type PeerCertificate } from "node:tls";
import type { IssuedKeyPair } from "./test-pki.ts";

export interface TlsCall {
  /** The answer's first line, or why there is none. */
  readonly outcome: string;
  /** Serial of the server's certificate. */
  readonly serial: string | undefined;
}

/** Call as `client`; the server is believed if it has a certificate of `rootPems`, or anyway where they are undefined. */
export function callOverTls(
  port: number,
  client: IssuedKeyPair,
  rootPems?: readonly string[],
): Promise<TlsCall> {
  return new Promise((resolve) => {
    let serial: string | undefined;
    const done = (outcome: string): void => {
      socket.destroy();
      resolve({ outcome, serial });
    };
    const socket = connect(
      {
        host: "127.0.0.1",
        port,
        cert: client.certificatePem,
        key: client.privateKeyPem,
        ...(rootPems === undefined ? { rejectUnauthorized: false } : { ca: [...rootPems] }),
        // SPIFFE identities are no host names.
        checkServerIdentity: () => undefined,
        timeout: 5_000,
      },
      () => {
        serial = (socket.getPeerCertificate() as Partial<PeerCertificate>).serialNumber;
        socket.write("GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
      },
    );
    socket.once("data", (data: Buffer) => {
      done(data.toString("latin1").split("\r\n")[0] ?? "");
    });
    socket.once("timeout", () => {
      done("no answer in time");
    });
    socket.once("error", (error) => {
      done(error.message);
    });
    socket.once("close", () => {
      done("closed without an answer");
    });
  });
}
