/** A server of Wasm modules that does what a test says. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface ModuleServer extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  readonly url: string;
  /** Method and path of each request so far. */
  readonly requests: readonly string[];
  /** What a path is answered with; everything else is 404. */
  readonly answers: Map<string, Answer>;
}

export async function startModuleServer(tls?: {
  readonly certificateChain: string;
  readonly privateKey: string;
}): Promise<ModuleServer> {
  const answers = new Map<string, Answer>();
  const requests: string[] = [];
  const listener: RequestListener = (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const path = (request.url ?? "").replace(/\?.*$/, "");
    const answer = answers.get(path);
    if (answer === undefined) response.writeHead(404).end();
    else answer(request, response);
  };
  const server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer({ cert: tls.certificateChain, key: tls.privateKey }, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const address = `127.0.0.1:${port}`;
  return {
    ...{ port, address, requests, answers },
    url: `${tls === undefined ? "http" : "https"}://${address}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answer 200 with these bytes. */
export function bytes(body: Buffer): Answer {
  return (_, response) => {
    response.writeHead(200, { "content-length": body.length }).end(body);
  };
}

/** Answer with a status and nothing else. */
export function status(code: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return (_, response) => {
    response.writeHead(code, headers).end();
  };
}

/** Answer each request with the next one; the last answers all that follow. */
export function inTurn(...answers: readonly Answer[]): Answer {
  let next = 0;
  return (request, response) => {
    answers[Math.min(next, answers.length - 1)]?.(request, response);
    next += 1;
  };
}
