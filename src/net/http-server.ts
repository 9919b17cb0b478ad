/**
 * A small HTTP/1.1 server whose life is a scope.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { prepareSocketPath, withSocketMode } from "./unix-socket.ts";

/** Where a server listens. */
export type ListenAddress =
  { readonly host: string; readonly port: number } | { readonly path: string; readonly mode: number };

/** Answers one request; what it throws becomes a 500. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** An HTTP server that is bound when `listen` resolves and gone when disposed. */
export class HttpServer implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws the system error of a failed bind, such as `EADDRINUSE` */
  static async listen(address: ListenAddress, handler: HttpHandler): Promise<HttpServer> {
    const server = createServer((request, response) => {
      void answer(handler, request, response);
    });
    server.keepAliveTimeout = 75_000;
    const bind = (): Promise<void> =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen("path" in address ? { path: address.path } : { ...address }, () => {
          server.off("error", reject);
          resolve();
        });
      });
    if ("path" in address) {
      await prepareSocketPath(address.path);
      await withSocketMode(address.mode, bind);
    } else {
      await bind();
    }
    return new HttpServer(server);
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
  }
}

async function answer(
  handler: HttpHandler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    await handler(request, response);
  } catch (error) {
    if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
    response.end(`${error instanceof Error ? error.message : String(error)}\n`);
  }
}
