/**
 * A small HTTP/1.1 server whose life is a scope.
 *
 * Whatever comes in, it is the request that pays for it: what a handler or one of its callbacks throws ends that
 * exchange, connections that say nothing make room for those that ask, and a page of somebody else gets no answer.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { errorMessage } from "../lifecycle/error-message.ts";
import { guarded } from "../lifecycle/guard.ts";
import type { Arrivals } from "./arrivals.ts";
import { type ConnectionLimits, connectionLimits, ConnectionTable } from "./connection-table.ts";
import { DescriptorReserve } from "./descriptor-reserve.ts";
import { isOneOfTheLast, maxDescriptors } from "./descriptors.ts";
import { foreignOrigin } from "./request-origin.ts";
import { RequestLine } from "./request-line.ts";
import { prepareSocketPath, withSocketMode } from "./unix-socket.ts";

/** Where a server listens. */
export type ListenAddress =
  { readonly host: string; readonly port: number } | { readonly path: string; readonly mode: number };

/** Answers one request; what it throws becomes a 500. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** What is particular about a server. */
export interface HttpServerOptions {
  /** What logs and errors call it: `the admin port`; `an HTTP server` unless told. */
  readonly part?: string;
  /** `local` refuses what a page of a foreign site may have sent, see `foreignOrigin`; `any` unless told. */
  readonly hosts?: "any" | "local";
  /** True for what a `local` server answers whatever name it is given. */
  readonly takesAnyHost?: (request: IncomingMessage) => boolean;
  /** Told of each request that failed in a way that nobody expected, and of a server that cannot accept. */
  readonly onFault?: (reason: string) => void;
  /** How many connections it holds; a share of the process's descriptors unless told. */
  readonly limits?: ConnectionLimits;
  /** Holds descriptors back for its connections, for when there are no others. */
  readonly hasReserve?: boolean;
  /** Told of each connection. */
  readonly arrivals?: Arrivals;
  /** True for what is answered even when too many other requests are at work. */
  readonly isUrgent?: (request: IncomingMessage) => boolean;
}

/** How long a client may take, in milliseconds: for a request's head, for all of it, and until its next request. */
const clientMs = { head: 10_000, request: 60_000, idle: 75_000 } as const;

/** Connections that wait to be accepted; the kernel takes no more than its own `net.core.somaxconn`. */
const backlog = 4_096;

/** Between two looks for clients that took too long, in milliseconds: Node.js has them whether there is a client or not. */
const checkMs = 20_000;

/** Connections of those that a server may hold that are left to urgent requests. */
const urgentShare = 1 / 2;

/** An HTTP server that is bound when `listen` resolves and gone when disposed. */
export class HttpServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #reserve: DescriptorReserve | undefined;

  private constructor(server: Server, reserve: DescriptorReserve | undefined) {
    this.#server = server;
    this.#reserve = reserve;
  }

  /** @throws the system error of a failed bind, such as `EADDRINUSE` */
  static async listen(
    address: ListenAddress,
    handler: HttpHandler,
    options: HttpServerOptions = {},
  ): Promise<HttpServer> {
    using stack = new DisposableStack();
    const reserve = options.hasReserve === true ? stack.use(new DescriptorReserve()) : undefined;
    const server = serverOf(handler, options, reserve);
    const bind = (): Promise<void> =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen({ ...("path" in address ? { path: address.path } : address), backlog }, () => {
          server.off("error", reject);
          // A server that cannot accept for a while is none that has ended.
          server.on("error", (error) => options.onFault?.(errorMessage(error)));
          resolve();
        });
      });
    const { part = "an HTTP server" } = options;
    const contain = (error: unknown): void => options.onFault?.(errorMessage(error));
    await guarded({ part, contain }, async () => {
      if ("path" in address) {
        await prepareSocketPath(address.path);
        await withSocketMode(address.mode, bind);
      } else {
        await bind();
      }
    });
    stack.move();
    return new HttpServer(server, reserve);
  }

  /** The bound TCP port; 0 for a Unix socket. */
  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === "object" ? address.port : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    this.#server.closeAllConnections();
    await closed;
    this.#reserve?.[Symbol.dispose]();
  }
}

function serverOf(
  handler: HttpHandler,
  options: HttpServerOptions,
  reserve: DescriptorReserve | undefined,
): Server {
  const descriptors = maxDescriptors();
  const limits = options.limits ?? connectionLimits(descriptors);
  const mostOthers = Math.floor(limits.most * (1 - urgentShare));
  const table = new ConnectionTable<Socket>(limits);
  const lines = new WeakMap<Socket, RequestLine>();
  const server = createServer(
    {
      headersTimeout: clientMs.head,
      requestTimeout: clientMs.request,
      keepAliveTimeout: clientMs.idle,
      connectionsCheckingInterval: checkMs,
    },
    (request, response) => {
      const { socket } = request;
      const line = lines.get(socket);
      if (line === undefined) return;
      table.work(socket);
      line.add(() => {
        // Its descriptor is another's as soon as it is answered.
        if (reserve?.isReleased === true) response.shouldKeepAlive = false;
        if (table.busy > mostOthers && options.isUrgent?.(request) !== true) {
          response.shouldKeepAlive = false;
          refuse(response, 503, "Too many requests at once");
        } else {
          answer(handler, request, response, options);
        }
        return response;
      });
    },
  );
  // Who has said all that it has to say still gets its answer. The property is not in the types.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on("connection", (socket) => {
    options.arrivals?.arrived();
    lines.set(socket, new RequestLine(socket, () => table.wait(socket)));
    socket.once("close", () => {
      table.close(socket);
    });
    const isTight = reserve?.isReleased === true || isOneOfTheLast(socket, descriptors);
    for (const victim of table.open(socket, socket.remoteAddress ?? "", isTight)) victim.destroy();
  });
  return server;
}

/** Answer a request, whatever happens. */
function answer(
  handler: HttpHandler,
  request: IncomingMessage,
  response: ServerResponse,
  { part = "an HTTP server", hosts = "any", takesAnyHost, onFault }: HttpServerOptions,
): void {
  const foreign = hosts === "local" ? foreignOrigin(request.headers, takesAnyHost?.(request)) : undefined;
  if (foreign !== undefined) {
    refuse(response, 403, foreign);
    return;
  }
  const fail = (error: unknown): void => {
    const reason = errorMessage(error);
    onFault?.(reason);
    if (response.headersSent) response.destroy();
    else refuse(response, 500, reason);
  };
  response.on("error", () => undefined);
  const contain = (error: unknown): void => {
    try {
      fail(error);
    } catch {
      request.socket.destroy();
    }
  };
  void guarded({ part, contain }, async () => {
    try {
      await handler(request, response);
    } catch (error) {
      contain(error);
    }
  });
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response
    .writeHead(status, { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" })
    .end(`${reason}\n`);
}
