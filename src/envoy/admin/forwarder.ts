/**
 * Envoy's admin interface on 127.0.0.1, as users and Istio's tools know it.
 *
 * Envoy itself listens on a private Unix socket that changes with each generation. Requests to quit and to drain
 * are the agent's to answer: an Envoy that quit on its own would be taken for dead and started again. So only paths
 * that mean to Envoy what they say are taken, see `readAdminTarget`.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { finished } from "node:stream";
import { HttpServer } from "../../net/http-server.ts";
import type { Logger } from "../../telemetry/log.ts";
import { readAdminTarget } from "./path.ts";
import { forward, type RelayLimits } from "./relay.ts";

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
  readonly log: Logger;
  readonly limits?: RelayLimits;
}

const usualLimits: RelayLimits = { firstByteMs: 10_000, lookMs: 5_000, stallMs: 300_000 };

/** @throws the system error when the port cannot be bound */
export function listenForAdmin(options: AdminForwarderOptions): Promise<HttpServer> {
  return HttpServer.listen(
    { host: options.host, port: options.port },
    (request, response) => serve(options, request, response),
    {
      part: "the admin port",
      hosts: "local",
      onFault: (reason) => {
        options.log.error("a request on the admin port failed", { reason });
      },
    },
  );
}

async function serve(
  options: AdminForwarderOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = readAdminTarget(request.url ?? "");
  if (target.kind === "refused") {
    text(response, 400, target.reason);
    return;
  }
  const { path, query } = target;
  if (path === "/quitquitquit") {
    quit(options, request, response);
    return;
  }
  const isDrain = request.method === "POST" && path === "/drain_listeners";
  await forward(request, response, {
    socketPath: options.socketPath(),
    unavailable: options.unavailable,
    limits: options.limits ?? usualLimits,
    onAnswer: (status) => {
      // Who drains by hand wants it to last: the agent must not bring the listeners back with another Envoy.
      if (isDrain && status === 200) options.drained(query);
    },
  });
}

function quit(options: AdminForwarderOptions, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== "POST") {
    response.setHeader("allow", "POST");
    text(response, 405, "Method Not Allowed");
    return;
  }
  text(response, 200, "OK");
  // Whoever asks may be gone before the answer is.
  finished(response, () => {
    options.quit();
  });
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "text/plain" }).end(`${body}\n`);
}
