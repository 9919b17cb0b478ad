/**
 * gRPC streams over a connection of their own, on `node:http2`: for what the agent passes on.
 *
 * grpc-js takes each message through some ten layers; here it is a read and a write. Unary calls are `GrpcChannel`'s.
 */
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import type { Socket } from "node:net";
import type { ByteStream, CallMetadata, ChannelOptions } from "./channel.ts";
import { ClientCall } from "./client-call.ts";
import { dial } from "./dial.ts";
import { GrpcError } from "./grpc-error.ts";

/**
 * What a server may send ahead of what was read: with HTTP/2's own 64 KiB a large configuration takes a round trip
 * for each of them. A client that does not read makes the agent take in this much.
 */
const windowBytes = 2_097_152;

/** Between two pings, and from a ping to its answer, in milliseconds. */
const keepalive = { everyMs: 30_000, answerWithinMs: 10_000 } as const;

/** One connection, made for the first call; disposing it ends its calls. */
export class StreamChannel implements Disposable {
  readonly address: string;
  readonly #options: ChannelOptions;
  readonly #closing = new AbortController();
  #connection: Promise<Connection> | undefined;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.address = options.address;
  }

  /** Open a stream on `path`. Its failure to connect is heard by whoever reads it. */
  stream(path: string, metadata: CallMetadata): ByteStream {
    const call = new ClientCall(this.address);
    this.#connection ??= Connection.open(this.#options, this.#closing.signal);
    this.#connection.then(
      (connection) => {
        call.begin(connection.session, this.#headers(path, metadata), () => connection.whyLost);
      },
      (error: unknown) => {
        call.fail(GrpcError.from(error, this.address));
      },
    );
    return call;
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
  }

  #headers(path: string, metadata: CallMetadata): OutgoingHttpHeaders {
    const { address, tls } = this.#options;
    return {
      ...Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), value])),
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_SCHEME]: tls === undefined ? "http" : "https",
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_AUTHORITY]:
        tls?.serverName ?? (address.startsWith("unix:") ? "localhost" : address),
      te: "trailers",
      "content-type": "application/grpc",
      "grpc-accept-encoding": "identity",
      "user-agent": "outrider",
    };
  }
}

class Connection {
  readonly session: ClientHttp2Session;
  readonly #socket: Socket;
  #reason: string | undefined;

  private constructor(session: ClientHttp2Session, socket: Socket) {
    this.session = session;
    this.#socket = socket;
    session.on("connect", () => {
      session.setLocalWindowSize(windowBytes);
    });
    session.on("error", (error) => {
      this.#reason ??= `Connection dropped: ${error.message}`;
    });
    session.on("goaway", (code: number) => {
      this.#reason ??=
        code === constants.NGHTTP2_NO_ERROR
          ? "Connection dropped: GOAWAY NO_ERROR"
          : `the server ended the connection with HTTP/2's error ${code}`;
    });
    this.#keepAlive();
  }

  /** @throws GrpcError */
  static async open(options: ChannelOptions, closing: AbortSignal): Promise<Connection> {
    const socket = await dial(options, closing);
    const session = connectHttp2(options.tls === undefined ? "http://localhost" : "https://localhost", {
      createConnection: () => socket,
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
      settings: { enablePush: false, initialWindowSize: windowBytes },
    });
    closing.addEventListener(
      "abort",
      () => {
        session.destroy();
      },
      { once: true },
    );
    return new Connection(session, socket);
  }

  /** What ended the connection; undefined while it stands. */
  get whyLost(): string | undefined {
    const isLost = this.#socket.destroyed || this.session.destroyed;
    return isLost ? (this.#reason ?? "Connection dropped") : undefined;
  }

  #keepAlive(): void {
    const { session } = this;
    let deadline: NodeJS.Timeout | undefined;
    const timer = setInterval(() => {
      if (session.destroyed) return;
      deadline = setTimeout(() => {
        this.#reason ??= `Connection dropped: no answer to a ping within ${keepalive.answerWithinMs / 1_000} s`;
        session.destroy();
      }, keepalive.answerWithinMs).unref();
      session.ping(() => {
        clearTimeout(deadline);
      });
    }, keepalive.everyMs).unref();
    session.once("close", () => {
      clearInterval(timer);
      clearTimeout(deadline);
    });
  }
}
