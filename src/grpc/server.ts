/**
 * A gRPC server with opaque messages whose life is a scope.
 */
import {
  type handleBidiStreamingCall,
  type handleUnaryCall,
  logVerbosity,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  setLogVerbosity,
  status,
} from "@grpc/grpc-js";
import { prepareSocketPath, withSocketMode } from "../net/unix-socket.ts";
import type { ByteStream } from "./channel.ts";
import { GrpcError } from "./grpc-error.ts";
import { withoutOverlongDeadlines } from "./overlong-deadline.ts";
import { RenewableCredentials, type ServerTls } from "./renewable-credentials.ts";

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
  readonly unary?: Readonly<Record<string, UnaryHandler>>;
  readonly streams?: Readonly<Record<string, StreamHandler>>;
}

/** Where to listen. */
export type GrpcListenAddress =
  | { readonly path: string; readonly mode: number }
  | { readonly host: string; readonly port: number; readonly tls?: ServerTls };

/** A server that is bound when `listen` resolves. Disposing it ends its streams. */
export class GrpcServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #credentials: RenewableCredentials | undefined;
  readonly #deadlines = withoutOverlongDeadlines();
  /** The bound TCP port; 0 for a Unix socket. */
  readonly port: number;

  private constructor(server: Server, port: number, credentials?: RenewableCredentials) {
    this.#server = server;
    this.#credentials = credentials;
    this.port = port;
  }

  /** @throws Error that names the address when it cannot be bound */
  static async listen(address: GrpcListenAddress, services: readonly GrpcService[]): Promise<GrpcServer> {
    // The library's own log quotes header fields that it refuses: a damaged token would stand there whole.
    setLogVerbosity(logVerbosity.NONE);
    const server = new Server({
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
      "grpc.max_concurrent_streams": 100_000,
    });
    for (const service of services) register(server, service);
    if ("path" in address) {
      await prepareSocketPath(address.path);
      await withSocketMode(address.mode, () =>
        bind(server, `unix:${address.path}`, ServerCredentials.createInsecure()),
      );
      return new GrpcServer(server, 0);
    }
    const credentials = address.tls === undefined ? undefined : new RenewableCredentials(address.tls);
    const target = `${address.host}:${address.port}`;
    const port = await bind(server, target, credentials ?? ServerCredentials.createInsecure());
    return new GrpcServer(server, port, credentials);
  }

  /** Show this certificate to whoever connects from now on. */
  renewTls(tls: ServerTls): void {
    this.#credentials?.renew(tls);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#deadlines[Symbol.dispose]();
    this.#server.forceShutdown();
    return Promise.resolve();
  }
}

function bind(server: Server, target: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(target, credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(new Error(`cannot listen on ${target}: ${error.message}`, { cause: error }));
    });
  });
}

function register(server: Server, service: GrpcService): void {
  const codec = {
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  };
  const unary = Object.entries(service.unary ?? {});
  const streams = Object.entries(service.streams ?? {});
  const path = (method: string): string => `/${service.name}/${method}`;
  server.addService(
    Object.fromEntries([
      ...unary.map(([method]) => [
        method,
        { path: path(method), requestStream: false, responseStream: false, ...codec },
      ]),
      ...streams.map(([method]) => [
        method,
        { path: path(method), requestStream: true, responseStream: true, ...codec },
      ]),
    ]),
    Object.fromEntries([
      ...unary.map(([method, handler]) => [method, serveUnary(handler)]),
      ...streams.map(([method, handler]) => [method, serveStream(handler)]),
    ]),
  );
}

function serveUnary(handler: UnaryHandler): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    handler(call.request, contextOf(call)).then(
      (response) => {
        callback(null, Buffer.from(response));
      },
      (error: unknown) => {
        callback(toStatus(error));
      },
    );
  };
}

function serveStream(handler: StreamHandler): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    call.on("error", () => undefined);
    handler(serverStream(call), contextOf(call)).then(
      () => {
        call.end();
      },
      (error: unknown) => {
        call.emit("error", toStatus(error));
      },
    );
  };
}

function serverStream(call: ServerDuplexStream<Buffer, Buffer>): ByteStream {
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
  if (error instanceof GrpcError) return { code: status[error.code], details: error.details };
  return { code: status.INTERNAL, details: error instanceof Error ? error.message : String(error) };
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
