/** A small HTTP application behind a sidecar. */
import type { IncomingMessage } from "node:http";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { HttpServer } from "../../src/net/http-server.ts";

export interface HttpApp extends AsyncDisposable {
  readonly port: number;
  /** The headers of each request so far. */
  readonly requests: readonly IncomingMessage["headers"][];
}

/** Answers with `name`; `/slow?ms=N` takes its time. */
export async function startApp(name: string): Promise<HttpApp> {
  const requests: IncomingMessage["headers"][] = [];
  const server = await HttpServer.listen({ host: "127.0.0.1", port: 0 }, async (request, response) => {
    requests.push(request.headers);
    const url = new URL(request.url ?? "/", "http://app");
    if (url.pathname === "/slow") await sleep(Number(url.searchParams.get("ms")));
    response.writeHead(200, { "content-type": "text/plain" }).end(name);
  });
  return {
    port: server.port,
    requests,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
