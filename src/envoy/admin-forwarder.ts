/**
 * Envoy's admin interface on 127.0.0.1, as users and Istio's tools know it.
 *
 * Envoy itself listens on a private Unix socket that changes with each generation. Requests to quit and to drain
 * are the agent's to answer: an Envoy that quit on its own would be taken for dead and started again.
 */
import { type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import { errorMessage } from "../lifecycle/error-message.ts";
import { HttpServer } from "../net/http-server.ts";

/** Where requests go and what the agent does itself. */
export interface AdminForwarderOptions {
  readonly host: string;
  readonly port: number;
  /** Admin socket of the active generation. */
  readonly socketPath: () => string;
  /** Why no generation can answer, for the 503. */
  readonly unavailable: () => string;
  /** POST /quitquitquit: drain and end the agent. */
  readonly quit: () => void;
  /** Envoy has taken a POST /drain_listeners; `query` says which and how. */
  readonly drained: (query: string) => void;
}

/** How long a forwarded request may wait for Envoy's first byte, in milliseconds. */
const firstByteMs = 10_000;

/** @throws the system error when the port cannot be bound */
export function listenForAdmin(options: AdminForwarderOptions): Promise<HttpServer> {
  return HttpServer.listen({ host: options.host, port: options.port }, (request, response) => {
    if (request.url === "/quitquitquit") {
      quit(options, request, response);
      return;
    }
    forward(options, request, response);
  });
}

/** Who drains by hand wants it to last: the agent must not bring the listeners back with another Envoy. */
function noteDrain(
  options: AdminForwarderOptions,
  request: IncomingMessage,
  status: number | undefined,
): void {
  const [path, query = ""] = (request.url ?? "").split("?");
  if (request.method === "POST" && path === "/drain_listeners" && status === 200) options.drained(query);
}

function quit(options: AdminForwarderOptions, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== "POST") {
    response.writeHead(405, { allow: "POST", "content-type": "text/plain" }).end("Method Not Allowed\n");
    return;
  }
  response.writeHead(200, { "content-type": "text/plain" }).end("OK\n", () => {
    options.quit();
  });
}

function forward(options: AdminForwarderOptions, request: IncomingMessage, response: ServerResponse): void {
  const upstream = httpRequest(
    {
      socketPath: options.socketPath(),
      method: request.method,
      path: request.url,
      headers: request.headers,
      agent: false,
      timeout: firstByteMs,
    },
    (answer) => {
      noteDrain(options, request, answer.statusCode);
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  upstream.on("timeout", () => {
    upstream.destroy(new Error(`no answer within ${firstByteMs} ms`));
  });
  upstream.on("error", (error) => {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const reason = `${options.unavailable()} (${errorMessage(error)})`;
    response
      .writeHead(503, { "content-type": "text/plain" })
      .end(`Envoy's admin is not available: ${reason}\n`);
  });
  response.on("close", () => {
    upstream.destroy();
  });
  request.pipe(upstream);
}
