/** As much of Consul's HTTP API as a source of services asks, which answers what it is told to. */
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecure } from "node:https";
import type { AddressInfo } from "node:net";
import type { IssuedKeyPair } from "./test-pki.ts";

/** What it answers to a question for all nodes. */
export interface ScriptedAnswer {
  readonly status?: number;
  /** X-Consul-Index: a question for what is newer waits. */
  readonly index?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ScriptedConsul extends AsyncDisposable {
  readonly url: string;
  /** Each question for all nodes, as `index token`. */
  readonly questions: readonly string[];
  /** From now on; who waits is answered. */
  answer(answer: ScriptedAnswer): void;
}

/** One node `n1` at 10.0.0.1 with services of these names, or `name=port`. */
export function nodesWith(...names: readonly string[]): string {
  const services = names.map((text) => {
    const [Service = "", port = "8080"] = text.split("=");
    return { ID: text, Service, Port: Number(port) };
  });
  return JSON.stringify([{ Node: "n1", Address: "10.0.0.1", Services: services, Checks: [] }]);
}

/** @param pair makes it speak TLS */
export async function startScriptedConsul(
  first: ScriptedAnswer,
  pair?: IssuedKeyPair,
): Promise<ScriptedConsul> {
  let current = first;
  const questions: string[] = [];
  const waiting = new Set<() => void>();
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://consul");
    if (pathname.startsWith("/v1/catalog/node/")) {
      send(response, { index: 1, body: JSON.stringify({ Node: { Datacenter: "dc9" }, Services: {} }) });
      return;
    }
    const index = searchParams.get("index") ?? "0";
    questions.push(`${index} ${String(request.headers["x-consul-token"] ?? "-")}`);
    const answer = (): void => {
      send(response, current);
    };
    if (current.status === undefined && Number(index) === (current.index ?? 1)) waiting.add(answer);
    else answer();
  };
  const server =
    pair === undefined
      ? createPlain(handle)
      : createSecure({ cert: pair.certificatePem, key: pair.privateKeyPem }, handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${pair === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    questions,
    answer: (next) => {
      current = next;
      for (const wake of waiting) wake();
      waiting.clear();
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, { status = 200, index = 1, headers, body }: ScriptedAnswer): void {
  const known = { "x-consul-knownleader": "true", "x-consul-index": `${index}` };
  response.writeHead(status, { ...known, ...headers }).end(body);
}
