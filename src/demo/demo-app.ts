/**
 * The small HTTP applications behind the sidecars.
 */
import { fetchHttp } from "../net/http-client.ts";
import { HttpServer } from "../net/http-server.ts";

/** What an application answers. */
export interface DemoAnswer {
  readonly app: string;
  /** SPIFFE identity of the caller as the sidecar saw it; empty when there was none. */
  readonly caller: string;
}

/** How a request ended. */
export type RequestResult =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly durationMs: number;
      readonly answer: DemoAnswer | undefined;
    }
  | { readonly kind: "failed"; readonly durationMs: number; readonly reason: string };

/** Start an application that answers with its name and its caller's identity. @param port 0 for a free one */
export function startDemoApp(name: string, port: number): Promise<HttpServer> {
  return HttpServer.listen({ host: "127.0.0.1", port }, (request, response) => {
    const header = request.headers["x-forwarded-client-cert"];
    const answer: DemoAnswer = { app: name, caller: callerOf(typeof header === "string" ? header : "") };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
}

/** The URI of the last element of `x-forwarded-client-cert` (Envoy's HTTP header documentation). */
export function callerOf(header: string): string {
  return /(?:^|;)URI=([^;,]+)/.exec(header.split(",").at(-1) ?? "")?.[1] ?? "";
}

/** Call a service as an application behind a sidecar does: through the sidecar's outbound port. */
export async function callThrough(
  outboundPort: number,
  host: string,
  timeoutMs: number,
): Promise<RequestResult> {
  const started = performance.now();
  const durationMs = (): number => performance.now() - started;
  try {
    const response = await fetchHttp({
      target: { host: "127.0.0.1", port: outboundPort },
      url: "/",
      headers: { host },
      timeoutMs,
    });
    const body = response.body.toString("utf8");
    const answer = response.status === 200 ? (JSON.parse(body) as DemoAnswer) : undefined;
    return { kind: "answered", status: response.status, durationMs: durationMs(), answer };
  } catch (error) {
    return {
      kind: "failed",
      durationMs: durationMs(),
      reason: error instanceof Error ? error.message : String(error),
    };
  }
}
