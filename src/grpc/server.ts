/**
 * A gRPC server with opaque messages whose life is a scope.
 */
import {
  type handleBidiStreamingCall,
  logVerbosity,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerOptions,
  setLogVerbosity,
  status,
} from "@grpc/grpc-js";
import type { Socket } from "node:net";
import { errorMessage } from "../lifecycle/error-message.ts";
import { Timer } from "../lifecycle/timer.ts";
import type { ConnectionLimits } from "../net/connection-table.ts";
import { prepareSocketPath, withSocketMode } from "../net/unix-socket.ts";
import type { ByteStream } from "./channel.ts";
import { Door } from "./door.ts";
import { GrpcError } from "./grpc-error.ts";
import { withoutOverlongDeadlines } from "./overlong-deadline.ts";
import { RenewableCredentials, type ServerTls } from "./renewable-credentials.ts";
import { letGoOfSessions } from "./session-error.ts";

/** What a handler knows about its call. */
export interface CallContext {
  /** First value of a metadata key. */
  metadata(key: string): string | undefined;
  /** `ip:port`, or the socket's path. */
  readonly peer: string;
  /** Aborts when the caller goes away or the server closes. */
  readonly signal: AbortSignal;
}

/** Answers one unary call. Throws GrpcError to refuse it. */
export type UnaryHandler = (request: Buffer, context: CallContext) => Promise<Uint8Array>;

/** Serves one stream; returning ends it well, throwing GrpcError ends it with that status. */
export type StreamHandler = (stream: ByteStream, context: CallContext) => Promise<void>;

/** A service's methods, by method name. */
export interface GrpcService {
  /** `package.Service`. */
  readonly name: string;
  /** Asked before a unary call's request is read: throws GrpcError to refuse the caller. */
  readonly admit?: (context: CallContext) => Promise<void>;
  readonly unary?: Readonly<Record<string, UnaryHandler>>;
  readonly streams?: Readonly<Record<string, StreamHandler>>;
}

/** Where to listen. */
export type GrpcListenAddress =
  | { readonly path: string; readonly mode: number }
  | { readonly host: string; readonly port: number; readonly tls?: ServerTls };

/** What is particular about a server on a TCP port. */
export interface GrpcServerOptions {
  /** As logs and errors call it; `a gRPC server` unless told. */
  readonly part?: string;
  /** How many connections it holds; half of the process's descriptors unless told. */
  readonly limits?: ConnectionLimits;
  /**
   * Largest message that is taken, in bytes, compressed or not; 4 MiB unless told. Larger ones are not taken in at all.
   */
  readonly maxMessageBytes?: number;
  /**
   * After so long, in milliseconds and give or take a tenth, clients are asked to connect anew (GOAWAY), and after `graceMs` more
   * a connection is closed: so they come to servers that were added since. Undefined for never.
   */
  readonly connectionAge?: { readonly mostMs: number; readonly graceMs: number } | undefined;
  /** Told of what nobody expected, which cost one connection. */
  readonly onFault?: (reason: string) => void;
}

/** As Istio's. */
const defaultMaxMessageBytes = 4 * 2 ** 20;

/** How long a unary call's request may take, in milliseconds. */
const requestWithinMs = 30_000;

const unixSocket: ServerOptions = {
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
  "grpc.max_concurrent_streams": 100_000,
};

const tcpPort: ServerOptions = {
  "grpc.max_send_message_length": -1,
  "grpc.max_concurrent_streams": 100,
  // Whoever is gone without a word is noticed, and whoever asks for nothing makes room.
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.max_connection_idle_ms": 300_000,
};

/** A server that is bound when `listen` resolves. Disposing it ends its streams. */
export class GrpcServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #credentials: RenewableCredentials | undefined;
  readonly #deadlines = withoutOverlongDeadlines();
  #door: Door | undefined;

  private constructor(server: Server, credentials?: RenewableCredentials) {
    this.#server = server;
    this.#credentials = credentials;
  }

  /** @throws Error that names the address when it cannot be bound */
  static async listen(
    address: GrpcListenAddress,
    services: readonly GrpcService[],
    options: GrpcServerOptions = {},
  ): Promise<GrpcServer> {
    // The library's own log quotes header fields that it refuses: a damaged token would stand there whole.
    setLogVerbosity(logVerbosity.NONE);
    if ("path" in address) {
      const server = new Server(unixSocket);
      for (const service of services) register(server, service, () => undefined);
      await prepareSocketPath(address.path);
      await withSocketMode(address.mode, () =>
        bind(server, `unix:${address.path}`, ServerCredentials.createInsecure()),
      );
      letGoOfSessions(server);
      return new GrpcServer(server);
    }
    const { host, port, tls } = address;
    const { part = "a gRPC server", limits, onFault, maxMessageBytes = defaultMaxMessageBytes } = options;
    const { connectionAge: age } = options;
    const server = new Server({
      ...tcpPort,
      "grpc.max_receive_message_length": maxMessageBytes,
      ...(age && {
        "grpc.max_connection_age_ms": age.mostMs,
        "grpc.max_connection_age_grace_ms": age.graceMs,
      }),
    });
    const credentials = tls === undefined ? undefined : new RenewableCredentials(tls);
    const listening = new GrpcServer(server, credentials);
    for (const service of services) register(server, service, (peer) => listening.#door?.admit(peer));
    const injector = server.createConnectionInjector(credentials ?? ServerCredentials.createInsecure());
    letGoOfSessions(server);
    const take = (socket: Socket): void => {
      injector.injectConnection(socket);
    };
    try {
      listening.#door = await Door.listen({ host, port, part, limits, onFault, take });
    } catch (error) {
      await listening[Symbol.asyncDispose]();
      throw new Error(`cannot listen on ${host}:${port}: ${errorMessage(error)}`, { cause: error });
    }
    return listening;
  }

  /** The bound TCP port; 0 for a Unix socket. */
  get port(): number {
    return this.#door?.port ?? 0;
  }

  /** Show this certificate to whoever connects from now on. */
  renewTls(tls: ServerTls): void {
    this.#credentials?.renew(tls);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#deadlines[Symbol.dispose]();
    this.#server.forceShutdown();
    await this.#door?.[Symbol.asyncDispose]();
  }
}

function bind(server: Server, target: string, credentials: ServerCredentials): Promise<void> {
  return new Promise((resolve, reject) => {
    server.bindAsync(target, credentials, (error) => {
      if (error === null) resolve();
      else reject(new Error(`cannot listen on ${target}: ${error.message}`, { cause: error }));
    });
  });
}

/** @param onRead told of the peer of each call that is read from */
function register(server: Server, service: GrpcService, onRead: (peer: string) => void): void {
  const methods = [
    ...Object.entries(service.streams ?? {}),
    ...Object.entries(service.unary ?? {}).map(
      ([method, handler]) => [method, asStream(handler, service.admit)] as const,
    ),
  ];
  const kind = {
    // A unary call too: the library would take its request in before anybody has seen who calls.
    requestStream: true,
    responseStream: true,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  };
  server.addService(
    Object.fromEntries(methods.map(([method]) => [method, { path: `/${service.name}/${method}`, ...kind }])),
    Object.fromEntries(methods.map(([method, handler]) => [method, serveStream(handler, onRead)])),
  );
}

function asStream(handler: UnaryHandler, admit: GrpcService["admit"]): StreamHandler {
  return async (stream, context) => {
    await admit?.(context);
    const patience = new Timer(requestWithinMs, () => {
      stream.cancel();
    });
    const { done, value } = await stream[Symbol.asyncIterator]()
      .next()
      .finally(() => {
        patience.cancel();
      });
    if (done === true) throw new GrpcError("INTERNAL", "a call without a request");
    await stream.write(await handler(value, context));
  };
}

function serveStream(
  handler: StreamHandler,
  onRead: (peer: string) => void,
): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    call.on("error", () => undefined);
    const context = contextOf(call);
    const stream = serverStream(call, () => {
      onRead(context.peer);
    });
    handler(stream, context).then(
      () => {
        call.end();
      },
      (error: unknown) => {
        call.emit("error", toStatus(error));
      },
    );
  };
}

function serverStream(call: ServerDuplexStream<Buffer, Buffer>, onRead: () => void): ByteStream {
  return {
    write: (message) => writeTo(call, asBuffer(message)),
    enqueue: (message) => {
      if (!call.destroyed) call.write(asBuffer(message));
    },
    end: () => {
      call.end();
    },
    cancel: () => {
      call.destroy();
    },
    async *[Symbol.asyncIterator]() {
      onRead();
      try {
        // A handler that stops reading has still to send its status, for which the call must live on.
        for await (const message of call.iterator({ destroyOnReturn: false })) yield message as Buffer;
      } catch (error) {
        throw GrpcError.from(error);
      }
    },
  };
}

interface ServerCall {
  readonly metadata: Metadata;
  getPeer(): string;
  once(event: "cancelled" | "close", listener: () => void): unknown;
}

function contextOf(call: ServerCall): CallContext {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort();
  };
  call.once("cancelled", abort);
  call.once("close", abort);
  return {
    metadata: (key) => call.metadata.get(key)[0]?.toString(),
    peer: call.getPeer(),
    signal: controller.signal,
  };
}

function toStatus(error: unknown): { code: number; details: string } {
  if (error instanceof GrpcError) return { code: status[error.code], details: error.details.toWellFormed() };
  return { code: status.INTERNAL, details: errorMessage(error).toWellFormed() };
}

interface Writer {
  write(message: Buffer, done: () => void): boolean;
  readonly destroyed: boolean;
  once(event: "close", listener: () => void): unknown;
  off(event: "close", listener: () => void): unknown;
}

/**
 * Write and wait until the transport has taken the message; a stream's own high-water mark would let 16 messages
 * of any size pile up. A stream that is gone takes the message silently, its reader hears why.
 */
async function writeTo(stream: Writer, message: Buffer): Promise<void> {
  if (stream.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off("close", done);
      resolve();
    };
    stream.once("close", done);
    stream.write(message, done);
  });
}

/** The same bytes as a Buffer, not copied: a configuration may have many megabytes. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Messages pass as they are. */
function identity(message: Buffer): Buffer {
  return message;
}
