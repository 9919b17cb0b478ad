/**
 * The control plane's HTTP pages: whether it is up, what it serves, and to whom.
 */
import type { HttpHandler } from "../net/http-server.ts";
import { isLoopback } from "../net/loopback.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Registry } from "./registry/registry.ts";
import { type ControlPlaneIdentity, debugPage } from "./push/debug-stream.ts";
import type { ConnectionTable } from "./push/status.ts";

/** What the pages show. */
export interface DebugSources {
  readonly registry: Registry;
  readonly connections: ConnectionTable;
  readonly metrics: Metrics;
  readonly identity: ControlPlaneIdentity;
}

/**
 * `/ready`, `/metrics`, `/version`; for loopback, as they name workloads and files, `/debug/syncz`,
 * `/debug/config_dump?proxyID=NAME` and `/debug/configz`.
 */
export function debugPages({ registry, connections, metrics, identity }: DebugSources): HttpHandler {
  const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
  return async (request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    if (path.startsWith("/debug/") && !isLoopback(request.socket.remoteAddress)) {
      response.writeHead(403, { "content-type": "text/plain" }).end("Only for loopback\n");
      return;
    }
    switch (path) {
      case "/ready":
        response.writeHead(200).end();
        return;
      case "/metrics":
        response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
        response.end(await metrics.render());
        return;
      case "/version":
        response.writeHead(200, { "content-type": "application/json" }).end(json(identity));
        return;
      case "/debug/syncz":
      case "/debug/config_dump": {
        const page = debugPage((request.url ?? "").slice("/debug/".length), connections);
        if (page !== undefined)
          response.writeHead(200, { "content-type": "application/json" }).end(json(page));
        else
          response
            .writeHead(404, { "content-type": "text/plain" })
            .end("No proxy of this proxyID is connected\n");
        return;
      }
      case "/debug/configz":
        response.writeHead(200, { "content-type": "application/json" }).end(json(registry.status));
        return;
      default:
        response.writeHead(404, { "content-type": "text/plain" }).end("Not Found\n");
    }
  };
}
