/** The status port with one probe of an application, and an application to probe. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { applicationProbes } from "../../src/agent/app-probes.ts";
import { statusRoutes } from "../../src/agent/status-routes.ts";
import type { AppProber, AppProbesOptions } from "../../src/app-probes/options.ts";
import { HttpServer } from "../../src/net/http-server.ts";
import { listenForStatus } from "../../src/status/server.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { Redactor } from "../../src/telemetry/redactor.ts";
import { freePorts } from "./free-ports.ts";
import { bareRequest, sendRaw } from "./raw-http.ts";
import { statusParts } from "./status-parts.ts";
import { testLog } from "./test-log.ts";

/** Of the probe, on the status port. */
export const path = "/app-health/web/readyz";

/** Only what is silent takes as long. */
export const patientMs = 20_000;

type Probed = (
  ask: (headers?: Readonly<Record<string, string>>, method?: string) => Promise<string>,
  port: number,
) => Promise<void>;

interface Scene {
  readonly changes?: Partial<AppProbesOptions>;
  readonly log?: ReturnType<typeof testLog>;
  readonly metrics?: Metrics;
}

/** Run something while a status port serves this probe. */
export async function probed(prober: AppProber, run: Probed, scene: Scene = {}): Promise<void> {
  const { changes, log = testLog(), metrics = new Metrics("istio_agent_") } = scene;
  const [statusPort = 0] = await freePorts(1);
  const probeApplication = applicationProbes(
    {
      probers: new Map([[path, prober]]),
      ...{ host: "127.0.0.1", sourceAddress: "127.0.0.6", offersHttp2: true, keepsConnections: false },
      statusPort,
      ...changes,
    },
    { log: log.log, metrics },
  );
  await using server = await listenForStatus(
    { host: "127.0.0.1", port: statusPort, metricsLocalOnly: false },
    statusRoutes,
    statusParts({ probeApplication }),
    { log: log.log, redactor: new Redactor() },
  );
  const target = { host: "127.0.0.1", port: server.port };
  await run(
    (headers = {}, method = "GET") =>
      sendRaw(
        target,
        bareRequest(`${method} ${path}`, { host: `127.0.0.1:${statusPort}`, ...headers }),
        patientMs,
      ),
    server.port,
  );
}

/** A probe by HTTP. */
export function http(
  port: number,
  at: string,
  changes: Partial<Extract<AppProber, { kind: "http" }>> = {},
): AppProber {
  return { kind: "http", scheme: "http", path: at, port, timeoutMs: patientMs, ...changes };
}

/** What follows the head of an answer. */
export function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf("\r\n\r\n") + 4);
}

/** An application that answers as its paths say. */
export async function app(seen: IncomingMessage[] = []): Promise<HttpServer> {
  return HttpServer.listen(
    { host: "0.0.0.0", port: 0 },
    (request: IncomingMessage, response: ServerResponse) => {
      seen.push(request);
      const [, word = "", rest = ""] = /^\/(\w+)\/?(.*)$/.exec(request.url ?? "") ?? [];
      if (word === "status") response.writeHead(Number(rest)).end(`it is ${rest}`);
      else if (word === "to")
        response.writeHead(302, { location: decodeURIComponent(rest) }).end("elsewhere");
      else if (word === "page")
        response.writeHead(200, { "content-type": "text/html" }).end("<script>1</script>");
      else if (word === "torn") {
        response.writeHead(200, { "content-length": "100" }).write("a");
        setImmediate(() => response.destroy());
      } else if (word === "endless") {
        response.writeHead(200);
        const more = (): void => {
          if (!response.destroyed) response.write(Buffer.alloc(65_536, "x"), more);
        };
        more();
      } else response.end("fine");
    },
  );
}

/** Nobody listens on it. */
export async function refusingPort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}
