/**
 * A connection to a gRPC server, ready for HTTP/2: all addresses of its name tried, TLS done, the protocol agreed on.
 */
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { errorMessage } from "../lifecycle/error-message.ts";
import { Timer } from "../lifecycle/timer.ts";
import { parseHostPort } from "../net/host-port.ts";
import { authenticated, trustedRoots } from "../net/server-authentication.ts";
import type { ChannelOptions } from "./channel.ts";
import { GrpcError } from "./grpc-error.ts";
import { policyOptions } from "./tls-policy.ts";

/** From the first attempt to a connection, in milliseconds. */
const connectWithinMs = 20_000;

/** Before the next address of a name is tried, in milliseconds. */
const perAddressMs = 1_000;

/** @throws GrpcError UNAVAILABLE, in the words of the socket or of OpenSSL; CANCELLED once `signal` aborts */
export async function dial(options: ChannelOptions, signal: AbortSignal): Promise<Socket> {
  const { address, tls } = options;
  const socket = tls === undefined ? connect(target(address)) : dialTls(options);
  try {
    await established(socket, tls === undefined ? "connect" : "secureConnect", signal);
  } catch (error) {
    socket.destroy();
    if (signal.aborted) throw new GrpcError("CANCELLED", "cancelled while connecting", address);
    throw new GrpcError("UNAVAILABLE", errorMessage(error), address, { cause: error });
  }
  if (tls !== undefined && (socket as TLSSocket).alpnProtocol !== "h2") {
    socket.destroy();
    throw new GrpcError("UNAVAILABLE", "the server has TLS, but does not speak HTTP/2 over it", address);
  }
  return socket.setNoDelay(true);
}

function dialTls({ address, tls }: ChannelOptions): TLSSocket {
  return connectTls({
    ...target(address),
    ALPNProtocols: ["h2"],
    ...policyOptions(tls?.policy),
    ...trustedRoots(tls?.rootCertificates),
    ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
    ...(tls?.clientCertificate === undefined
      ? {}
      : { cert: tls.clientCertificate.certificateChain, key: tls.clientCertificate.privateKey }),
    ...authenticated,
  });
}

interface SocketTarget {
  readonly path?: string;
  readonly host?: string;
  readonly port: number;
  readonly autoSelectFamilyAttemptTimeout: number;
}

function target(address: string): SocketTarget {
  const attempt = { autoSelectFamilyAttemptTimeout: perAddressMs };
  if (address.startsWith("unix:")) return { path: address.slice("unix:".length), port: 0, ...attempt };
  const at = parseHostPort(address);
  if (at === undefined) throw new GrpcError("UNAVAILABLE", "the address is not host:port", address);
  return { ...at, ...attempt };
}

function established(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      timer.cancel();
      signal.removeEventListener("abort", onAbort);
      socket.off("close", onClose);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onAbort = (): void => {
      settle(new Error("aborted"));
    };
    const onClose = (): void => {
      settle(new Error("the server closed the connection before it was made"));
    };
    const timer = new Timer(connectWithinMs, () => {
      settle(new Error(`no connection within ${connectWithinMs / 1_000} s`));
    });
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("close", onClose);
    // Stays, as an error may follow the one that counts.
    socket.on("error", settle);
    socket.once(event, () => {
      settle();
    });
    if (signal.aborted) onAbort();
  });
}
