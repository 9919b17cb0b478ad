/**
 * A gRPC server on `node:http2`: for the sockets that Envoy's streams go through.
 *
 * It takes the same services as `GrpcServer`, with a fraction of grpc-js' work for each stream and message.
 */
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from "node:http2";
import type { Socket } from "node:net";
import { errorMessage } from "../lifecycle/error-message.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { Timer } from "../lifecycle/timer.ts";
import { type Guard, guarded, handled } from "../lifecycle/guard.ts";
import { connectionLimits } from "../net/connection-table.ts";
import { maxDescriptors } from "../net/descriptors.ts";
import { prepareSocketPath, withSocketMode } from "../net/unix-socket.ts";
import { GrpcError } from "./grpc-error.ts";
import { ServerCall } from "./server-call.ts";
import type { GrpcListenAddress, GrpcService, StreamHandler, UnaryHandler } from "./server.ts";
import { letGoOfSession } from "./session-error.ts";
import { parseTimeout, type StatusName } from "./status-code.ts";

/** What a client may send ahead of what was read, by stream and by connection. */
const windowBytes = { stream: 1_048_576, connection: 4_194_304 } as const;

const options: ServerOptions = {
  // The windows bound what a connection may hold; Node's own bound would end one with many streams.
  maxSessionMemory: Number.MAX_SAFE_INTEGER,
  settings: { maxConcurrentStreams: 100_000, initialWindowSize: windowBytes.stream },
};

/** What is particular about a server. */
export interface StreamServerOptions {
  /** What errors call it: `the SDS socket`; `a gRPC server` unless told. */
  readonly part?: string;
  /** Told of each stream that failed beside its handler, and of a server that cannot accept. */
  readonly onFault?: (reason: string) => void;
}

/** How long a client may take to hear of the end, in milliseconds: one that reads nothing never does. */
const farewellMs = 250;

/** A server that is bound when `listen` resolves. Disposing it ends its streams. */
export class StreamServer implements AsyncDisposable {
  readonly #server: Http2Server;
  readonly #handlers: ReadonlyMap<string, StreamHandler>;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Socket>();

  private constructor(
    server: Http2Server,
    services: readonly GrpcService[],
    { part, contain }: Required<Guard>,
  ) {
    this.#server = server;
    server.maxConnections = connectionLimits(maxDescriptors(), 16).most;
    this.#handlers = new Map(services.flatMap(handlersOf));
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("session", (session) => {
      this.#sessions.add(session);
      session.setLocalWindowSize(windowBytes.connection);
      // A connection that breaks takes its streams with it, whose handlers hear of it.
      session.on("error", letGoOfSession);
      session.once("close", () => this.#sessions.delete(session));
    });
    server.on("sessionError", () => undefined);
    server.on("stream", (stream, headers) => {
      // What fails beside the handler is still about this stream alone.
      const end = (error: unknown): void => {
        stream.destroy();
        contain(error);
      };
      handled({ part, contain: end }, () => {
        this.#serve(stream, headers);
      });
    });
  }

  /** @throws Error that names the address when it cannot be bound */
  static async listen(
    address: GrpcListenAddress,
    services: readonly GrpcService[],
    { part = "a gRPC server", onFault }: StreamServerOptions = {},
  ): Promise<StreamServer> {
    const tls = "path" in address ? undefined : address.tls;
    const http2 =
      tls === undefined
        ? createServer(options)
        : createSecureServer({ ...options, cert: tls.certificateChain, key: tls.privateKey });
    const contain = (error: unknown): void => onFault?.(errorMessage(error));
    const server = new StreamServer(http2, services, { part, contain });
    await guarded({ part, contain }, async () => {
      if ("path" in address) {
        await prepareSocketPath(address.path);
        await withSocketMode(address.mode, () => bind(http2, { path: address.path }, `unix:${address.path}`));
      } else {
        await bind(http2, { host: address.host, port: address.port }, `${address.host}:${address.port}`);
      }
    });
    // A server that cannot accept for a while is none that has ended.
    http2.on("error", contain);
    return server;
  }

  /** The bound TCP port; 0 for a Unix socket. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    for (const session of this.#sessions) session.destroy();
    const limit = new AbortController();
    await Promise.race([closed, sleep(farewellMs, limit.signal)]);
    limit.abort();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const status = httpRefusal(headers);
    if (status !== undefined) {
      stream.on("error", () => undefined);
      stream.respond({ ":status": status }, { endStream: true });
      return;
    }
    const call = new ServerCall(stream, headers, peerOf(stream));
    const path = headers[":path"] ?? "";
    const handler = this.#handlers.get(path);
    const refusal = grpcRefusal(headers);
    if (refusal !== undefined) call.finish(...refusal);
    else if (handler === undefined) call.finish("UNIMPLEMENTED", `there is no method ${path}`);
    else run(handler, call, timeoutOf(headers));
  }
}

function run(handler: StreamHandler, call: ServerCall, timeoutMs: number | undefined): void {
  const timer =
    timeoutMs === undefined
      ? undefined
      : new Timer(
          timeoutMs,
          () => {
            call.finish("DEADLINE_EXCEEDED", `not done within ${timeoutMs} ms`);
            call.abort();
          },
          { isBackground: true },
        );
  handler(call, call).then(
    () => {
      timer?.cancel();
      call.finish("OK");
    },
    (error: unknown) => {
      timer?.cancel();
      if (error instanceof GrpcError) call.finish(error.code, error.details);
      else call.finish("INTERNAL", errorMessage(error));
    },
  );
}

function handlersOf({ name, unary = {}, streams = {} }: GrpcService): [string, StreamHandler][] {
  return [
    ...Object.entries(streams).map(([method, handler]): [string, StreamHandler] => [
      `/${name}/${method}`,
      handler,
    ]),
    ...Object.entries(unary).map(([method, handler]): [string, StreamHandler] => [
      `/${name}/${method}`,
      asStream(handler),
    ]),
  ];
}

function asStream(handler: UnaryHandler): StreamHandler {
  return async (stream, context) => {
    const { done, value } = await stream[Symbol.asyncIterator]().next();
    if (done === true) throw new GrpcError("INTERNAL", "a call without a request");
    await stream.write(await handler(value, context));
  };
}

/** The HTTP status of what is no call. */
function httpRefusal(headers: IncomingHttpHeaders): number | undefined {
  if (headers[":method"] !== "POST") return 405;
  if (headers["content-type"]?.startsWith("application/grpc") !== true) return 415;
  return undefined;
}

function grpcRefusal(headers: IncomingHttpHeaders): [StatusName, string] | undefined {
  const encoding = headers["grpc-encoding"] ?? "identity";
  if (encoding !== "identity")
    return ["UNIMPLEMENTED", `messages in the encoding ${String(encoding)} are not taken`];
  if (headers["te"] !== "trailers") return ["INTERNAL", "the header te: trailers did not arrive"];
  if (headers["grpc-timeout"] !== undefined && timeoutOf(headers) === undefined)
    return ["INTERNAL", `grpc-timeout ${String(headers["grpc-timeout"])} is none`];
  return undefined;
}

function timeoutOf(headers: IncomingHttpHeaders): number | undefined {
  return parseTimeout(String(headers["grpc-timeout"] ?? ""));
}

function peerOf({ session }: ServerHttp2Stream): string {
  const { remoteAddress, remotePort } = session?.socket ?? {};
  return remoteAddress === undefined ? "a Unix socket" : `${remoteAddress}:${remotePort ?? 0}`;
}

function bind(
  server: Http2Server,
  where: { readonly path: string } | { readonly host: string; readonly port: number },
  name: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(new Error(`cannot listen on ${name}: ${error.message}`, { cause: error }));
    });
    server.listen(where, resolve);
  });
}
