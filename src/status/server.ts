/**
 * The agent's status port, 15020 in Istio.
 *
 * It listens on all interfaces for the kubelet and Prometheus. What is served there, and to whom, is a table of routes;
 * whatever is answered leaves without the secrets of the configuration.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { finished } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Arrivals } from "../net/arrivals.ts";
import { bestEncoding, compressed } from "../net/content-encoding.ts";
import { HttpServer } from "../net/http-server.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Redactor } from "../telemetry/redactor.ts";
import { Asker } from "./asker.ts";
import type { Answer, Route, StreamAnswer, WrittenAnswer } from "./contract/route.ts";
import type { StatusOptions } from "./options.ts";
import { ResponseBody } from "./response-body.ts";
import { routeFor, rule } from "./rules.ts";

/** What the port itself works with. */
export interface StatusDependencies {
  readonly log: Logger;
  readonly redactor: Redactor;
}

/**
 * Serve `table` from `parts`.
 *
 * @throws the system error when the port cannot be bound
 */
export function listenForStatus<Parts>(
  { host, port, metricsLocalOnly }: Omit<StatusOptions, "profiling">,
  table: readonly Route<Parts>[],
  parts: Parts,
  { log, redactor }: StatusDependencies,
): Promise<HttpServer> {
  const urgent = table.filter(({ isUrgent }) => isUrgent === true);
  const arrivals = new Arrivals();
  const giveWay = (): Promise<void> => arrivals.giveWay();
  const ofAnyHost = table.filter(({ takesAnyHost }) => takesAnyHost === true);
  return HttpServer.listen(
    { host, port },
    async (request, response) => {
      const { method = "", headers, socket } = request;
      const [path, query] = targetOf(request);
      const { remoteAddress } = socket;
      const ruling = rule(table, { path, method, remoteAddress }, metricsLocalOnly);
      if (ruling.kind === "refuse") {
        if (ruling.status === 405) response.setHeader("allow", "POST");
        const refusal: Answer = { kind: "text", status: ruling.status, text: `${ruling.why}\n` };
        await send(request, response, refusal, redactor);
        return;
      }
      const asker = new Asker(request, response);
      const gone = (): AbortSignal => asker.gone();
      const answer = await ruling.route.handle(parts, {
        ...{ path, method, headers, giveWay, gone },
        from: remoteAddress,
        query: new URLSearchParams(query),
        search: query,
      });
      if (answer.kind === "stream") await stream(response, answer, asker.isGone);
      else if (answer.kind === "written") await written(response, answer, asker.isGone);
      else if (asker.isGone) response.destroy();
      else await send(request, response, answer, redactor);
    },
    {
      part: "the status port",
      arrivals,
      hosts: "local",
      onFault: (reason) => {
        log.error("a request on the status port failed", { reason });
      },
      hasReserve: true,
      isUrgent: (request) => routeFor(urgent, targetOf(request)[0]) !== undefined,
      takesAnyHost: (request) => routeFor(ofAnyHost, targetOf(request)[0]) !== undefined,
    },
  );
}

function targetOf({ url = "" }: IncomingMessage): readonly [path: string, query: string] {
  const at = url.indexOf("?");
  return at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
}

type WholeAnswer = Exclude<Answer, StreamAnswer | WrittenAnswer>;

/** However it ends, the body is over by then: whoever makes it holds what others wait for. */
async function stream(
  response: ServerResponse,
  { headers, body }: StreamAnswer,
  isGone: boolean,
): Promise<void> {
  try {
    if (isGone || response.destroyed) {
      response.destroy();
      return;
    }
    response.writeHead(200, { ...headers, "x-content-type-options": "nosniff" });
    await pipeline(body, response);
  } catch (error) {
    // Who has gone needs no answer; a fault has cut the answer off, so that nobody takes it for whole.
    if (!isOfGone(error)) throw error;
  } finally {
    body.destroy();
  }
}

/** Whoever writes it is told in any case that it is over. */
async function written(
  response: ServerResponse,
  { headers, signal, write }: WrittenAnswer,
  isGone: boolean,
): Promise<void> {
  using body = new ResponseBody(response, signal);
  if (isGone) response.destroy();
  else if (!response.destroyed) response.writeHead(200, { ...headers, "x-content-type-options": "nosniff" });
  try {
    await write(body);
    response.end();
  } catch (error) {
    // Who has gone needs no answer; a fault has cut the answer off, so that nobody takes it for whole.
    response.destroy();
    if (!body.gone.aborted) throw error;
  }
}

const ofGone: readonly unknown[] = ["ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_UNABLE_TO_PIPE"];

function isOfGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && ofGone.includes(error.code);
}

/** Bytes from which an answer is worth compressing: what is sent through `kubectl port-forward` may have many MiB. */
const worthCompressing = 16_384;

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: WholeAnswer,
  redactor: Redactor,
): Promise<void> {
  const [status, given, whole] = encode(answer, redactor);
  let [headers, body] = [given, whole];
  const isOurs = answer.kind !== "bytes" && request.method !== "HEAD";
  if (isOurs && Buffer.byteLength(whole) >= worthCompressing) {
    headers = { ...given, vary: "accept-encoding" };
    const encoding = bestEncoding(acceptEncodingOf(request));
    if (encoding !== undefined) {
      body = await compressed(whole, encoding);
      headers = { ...headers, "content-encoding": encoding };
    }
  }
  response
    .writeHead(status, { ...headers, ...lengthOf(status, body), "x-content-type-options": "nosniff" })
    .end(body);
  const { afterwards } = answer.kind === "text" ? answer : {};
  if (afterwards !== undefined) finished(response, afterwards);
}

function acceptEncodingOf({ headers }: IncomingMessage): string | undefined {
  const given = headers["accept-encoding"];
  return typeof given === "string" ? given : undefined;
}

/** An answer without a body has no length either (RFC 9110, 8.6). */
function lengthOf(status: number, body: string | Uint8Array): Readonly<Record<string, number>> {
  return status === 204 || status === 304 ? {} : { "content-length": Buffer.byteLength(body) };
}

function encode(
  answer: WholeAnswer,
  redactor: Redactor,
): readonly [status: number, headers: Readonly<Record<string, string>>, body: string | Uint8Array] {
  switch (answer.kind) {
    case "json": {
      const { status = 200, isIndented } = answer;
      const value = redactor.json(answer.value);
      const layout = isIndented === true ? 2 : undefined;
      return [
        status,
        { "content-type": "application/json" },
        `${JSON.stringify(value, undefined, layout)}\n`,
      ];
    }
    case "text": {
      const { status, text, contentType = "text/plain", headers } = answer;
      return [status, { ...headers, "content-type": contentType }, redactor.known(text)];
    }
    case "bytes":
      return [answer.status, { "content-type": "text/plain; charset=utf-8" }, answer.bytes];
    case "file": {
      const headers = {
        "content-type": "application/octet-stream",
        "content-disposition": `attachment; filename="${answer.name}"`,
      };
      return [200, headers, answer.bytes];
    }
  }
}
