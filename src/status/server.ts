/**
 * The agent's status port, 15020 in Istio: readiness, metrics, drain and quit.
 *
 * It listens on all interfaces for the kubelet and Prometheus, so whatever changes or tells more than they need
 * answers loopback only.
 */
import type { ServerResponse } from "node:http";
import { HttpServer, type HttpHandler } from "../net/http-server.ts";
import { isLoopback } from "../net/loopback.ts";
import type { Logger } from "../telemetry/log.ts";
import { Profiling, profilingRoot } from "./profiling.ts";

/** The port and who may read metrics. */
export interface StatusOptions {
  readonly host: string;
  readonly port: number;
  /** Metrics for loopback only. */
  readonly metricsLocalOnly: boolean;
  /** Serve profiles of this process. */
  readonly profiling: boolean;
}

/** Whether the sidecar can take traffic, and if not, why. */
export type Readiness =
  | {
      readonly ready: true;
      /** What a reader should know all the same. */
      readonly note?: string;
    }
  | { readonly ready: false; readonly reason: string };

/** What the server shows and triggers. */
export interface StatusSources {
  readonly readiness: () => Promise<Readiness>;
  /** Prometheus text. */
  readonly metrics: () => Promise<string>;
  /** The whole picture, as JSON. */
  readonly report: () => Promise<unknown>;
  /** The last exchanges with the control plane, for JSON. */
  readonly exchanges: () => readonly unknown[];
  /** Read the configuration again; what became of it, as JSON. */
  readonly reload: () => Promise<unknown>;
  readonly drain: () => Promise<void>;
  readonly quit: () => void;
  readonly log: Logger;
}

/** One row per path: the README's table is made from it. */
export interface Endpoint {
  readonly path: string;
  readonly method: "GET" | "POST";
  readonly loopbackOnly: boolean;
  readonly describe: string;
}

/** What the kubelet asks for. */
const readinessPath = "/healthz/ready";

/** The paths of the status port. */
export const endpoints: readonly Endpoint[] = [
  {
    path: readinessPath,
    method: "GET",
    loopbackOnly: false,
    describe: "200 when Envoy serves the control plane's configuration, else 503; the log says why.",
  },
  { path: "/stats/prometheus", method: "GET", loopbackOnly: false, describe: "The agent's metrics." },
  { path: "/metrics", method: "GET", loopbackOnly: false, describe: "The same as /stats/prometheus." },
  {
    path: "/debug/status",
    method: "GET",
    loopbackOnly: true,
    describe: "Identity, xDS, Envoy and readiness as JSON, with the reason for whatever is not well.",
  },
  {
    path: "/debug/xds",
    method: "GET",
    loopbackOnly: true,
    describe: "The last exchanges with the control plane of each type, as JSON; `outrider xds` prints them.",
  },
  {
    path: "/debug/pprof/",
    method: "GET",
    loopbackOnly: true,
    describe:
      "Profiles of the agent: `/debug/pprof/profile?seconds=30` for `go tool pprof`, `/debug/pprof/cmdline`.",
  },
  {
    path: "/reload",
    method: "POST",
    loopbackOnly: true,
    describe:
      "Read the configuration again and swap Envoy if it gives another one; answers with what became of it.",
  },
  {
    path: "/drain",
    method: "POST",
    loopbackOnly: true,
    describe: "Drain Envoy and keep it, readiness too; a later SIGTERM then ends it at once.",
  },
  {
    path: "/quitquitquit",
    method: "POST",
    loopbackOnly: true,
    describe: "Drain Envoy and exit with code 0: the application has ended.",
  },
];

/** @throws the system error when the port cannot be bound */
export function listenForStatus(options: StatusOptions, sources: StatusSources): Promise<HttpServer> {
  const profiling = new Profiling([process.execPath, ...process.execArgv, ...process.argv.slice(1)]);
  let wasReady: boolean | undefined;
  const noteReadiness = (readiness: Readiness): void => {
    if (readiness.ready === wasReady) return;
    wasReady = readiness.ready;
    if (readiness.ready) sources.log.info("Envoy proxy is ready");
    else sources.log.warn("Envoy proxy is NOT ready", { reason: readiness.reason });
  };
  const serve: HttpHandler = async (request, response) => {
    const [path = ""] = (request.url ?? "").split("?");
    const endpoint = endpointOf(path, options);
    if (endpoint === undefined) {
      reply(response, 404, "Not Found\n");
      return;
    }
    const loopbackOnly =
      endpoint.loopbackOnly || (options.metricsLocalOnly && endpoint.path !== readinessPath);
    if (loopbackOnly && !isLoopback(request.socket.remoteAddress)) {
      reply(response, 403, "Only requests from localhost are allowed\n");
      return;
    }
    if (endpoint.method === "POST" && request.method !== "POST") {
      reply(response, 405, "Method Not Allowed\n");
      return;
    }
    switch (endpoint.path) {
      case readinessPath: {
        const readiness = await sources.readiness();
        noteReadiness(readiness);
        reply(
          response,
          readiness.ready ? 200 : 503,
          readiness.ready && readiness.note !== undefined ? `${readiness.note}\n` : "",
        );
        return;
      }
      case "/debug/status":
        reply(response, 200, `${JSON.stringify(await sources.report(), undefined, 2)}\n`, "application/json");
        return;
      case "/debug/xds":
        reply(response, 200, `${JSON.stringify(sources.exchanges())}\n`, "application/json");
        return;
      case profilingRoot:
        await profiling.answer(request, response);
        return;
      case "/reload":
        reply(response, 200, `${JSON.stringify(await sources.reload())}\n`, "application/json");
        return;
      case "/drain":
        await sources.drain();
        reply(response, 200, "OK");
        return;
      case "/quitquitquit":
        reply(response, 200, "OK");
        sources.quit();
        return;
      default:
        reply(response, 200, await sources.metrics(), "text/plain; version=0.0.4; charset=utf-8");
    }
  };
  return HttpServer.listen({ host: options.host, port: options.port }, serve, {
    part: "the status port",
    hosts: "local",
    onFault: (reason) => {
      sources.log.error("a request on the status port failed", { reason });
    },
    hasReserve: true,
    isUrgent: ({ url }) => url?.split("?")[0] === readinessPath,
  });
}

/** A path that ends with a slash stands for all below it. */
function endpointOf(path: string, { profiling }: StatusOptions): Endpoint | undefined {
  if (path.startsWith(profilingRoot) && !profiling) return undefined;
  return endpoints.find((candidate) =>
    candidate.path.endsWith("/") ? path.startsWith(candidate.path) : candidate.path === path,
  );
}

function reply(response: ServerResponse, status: number, body: string, contentType = "text/plain"): void {
  response.writeHead(status, { "content-type": contentType, "x-content-type-options": "nosniff" }).end(body);
}
