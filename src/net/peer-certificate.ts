/**
 * The certificate that a server of the mesh shows, whether or not anybody trusts it: to say who it is.
 */
import { isIP } from "./ip-version.ts";
import { connect } from "node:tls";

/** Where to look. */
export interface PeerAddress {
  readonly host: string;
  readonly port: number;
  /** Undefined asks for none. */
  readonly serverName: string | undefined;
}

/** What sidecars speak among each other (Istio's ALPN), and what else a server of a mesh may. */
const protocols = ["istio-peer-exchange", "istio", "h2", "http/1.1"];

/**
 * The leaf, as DER. Nothing is sent and nothing is read beside the handshake.
 *
 * @throws the error of the socket or of TLS, or the reason of `signal`
 */
export function peerCertificate(
  { host, port, serverName }: PeerAddress,
  signal: AbortSignal,
): Promise<Buffer> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ host, port, ALPNProtocols: protocols },
      ...(serverName === undefined || isIP(serverName) !== 0 ? {} : { servername: serverName }),
      // It is shown, and trusted by nobody.
      rejectUnauthorized: false,
    });
    const end = (): void => {
      socket.destroy();
      signal.removeEventListener("abort", onAbort);
    };
    const onAbort = (): void => {
      end();
      reject(signal.reason instanceof Error ? signal.reason : new Error("not finished in time"));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("secureConnect", () => {
      const certificate = socket.getPeerX509Certificate();
      end();
      if (certificate === undefined) reject(new Error("the server shows no certificate"));
      else resolve(certificate.raw);
    });
    socket.once("error", (error: Error) => {
      end();
      reject(error);
    });
    socket.once("close", () => {
      end();
      reject(new Error("the server closed the connection"));
    });
  });
}
