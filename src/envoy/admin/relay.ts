/**
 * One request to Envoy's admin socket, and its answer to whoever asked.
 *
 * Of the request's headers only those go along that its body and its answer's form need: the rest means nothing to
 * Envoy's admin, and could make a message that cannot be sent. The answer comes whole or breaks off where one can see
 * it.
 */
import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from "node:http";
import { finished } from "node:stream";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import { Timer } from "../../lifecycle/timer.ts";
import { findListener } from "../../net/unix-socket.ts";

/** Where a request goes. */
export interface Relay {
  /** Admin socket of an Envoy. */
  readonly socketPath: string;
  /** Why nobody answers there, for the 503. */
  readonly unavailable: () => string;
  /** Envoy has begun to answer. */
  readonly onAnswer: (status: number) => void;
  readonly limits: RelayLimits;
}

/** How long things may take, in milliseconds. */
export interface RelayLimits {
  /** Envoy's first byte. */
  readonly firstByteMs: number;
  /** Between two looks at a reader who takes nothing: whether Envoy lives is then asked for, too. */
  readonly lookMs: number;
  /** How long a reader may take nothing. */
  readonly stallMs: number;
}

/** Resolves once the answer is over. Never throws; whatever fails is the answer's end. */
export async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  relay: Relay,
): Promise<void> {
  const upstream = httpRequest({
    socketPath: relay.socketPath,
    method: request.method,
    path: request.url,
    headers: forwarded(request.headers),
    agent: false,
  });
  const limit = new Timer(relay.limits.firstByteMs, () => {
    upstream.destroy(new Error(`no answer within ${relay.limits.firstByteMs} ms`));
  });
  let answered: IncomingMessage | undefined;
  let isGone = false;
  upstream.once("response", (answer) => {
    answered = answer;
    limit.cancel();
    relay.onAnswer(answer.statusCode ?? 0);
    if (isGone) upstream.destroy();
    else pass(answer, response);
  });
  const fail = (reason: string): void => {
    limit.cancel();
    // What follows a whole answer is no part of it: Envoy sends the body of a GET to a HEAD, too.
    if (isGone || answered?.complete === true) return;
    if (response.headersSent) cut(response);
    else sayUnavailable(response, `${relay.unavailable()} (${reason})`);
  };
  upstream.on("error", (error) => {
    fail(errorMessage(error));
  });
  upstream.once("close", () => {
    // An answer that switches protocols is neither an answer nor an error.
    if (answered === undefined && !response.headersSent) fail("no answer of HTTP");
  });
  response.once("close", () => {
    isGone = true;
    // What changes Envoy is seen through: the agent must know what became of it.
    if (answered !== undefined || request.method !== "POST") upstream.destroy();
  });
  sendBody(request, upstream);
  await endStalled(response, relay);
}

/** What may go along of a request's headers. */
const carried = ["accept", "content-length", "content-type", "user-agent"] as const;

function forwarded(headers: IncomingHttpHeaders): Record<string, string> {
  const pairs = carried.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const chunked = headers["transfer-encoding"] === undefined ? {} : { "transfer-encoding": "chunked" };
  return { host: "localhost", ...Object.fromEntries(pairs), ...chunked };
}

function sendBody(request: IncomingMessage, upstream: ClientRequest): void {
  request.pipe(upstream);
  finished(request, { writable: false }, (error) => {
    // A body that broke off is no request.
    if (error) upstream.destroy(error);
  });
}

function pass(answer: IncomingMessage, response: ServerResponse): void {
  response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
  answer.pipe(response);
  finished(answer, (error) => {
    if (error) cut(response);
  });
}

/** Headers that are about one connection only (RFC 9110, 7.6.1). */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)));
}

/** To a client of HTTP/1.0 an orderly end would look like that of a whole answer. */
function cut(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
  response.destroy();
}

function sayUnavailable(response: ServerResponse, reason: string): void {
  response
    .writeHead(503, { "content-type": "text/plain" })
    .end(`Envoy's admin is not available: ${reason}\n`);
}

/**
 * A reader may pause, but not for ever; and while he does, nothing is read from Envoy, whose end would go unnoticed.
 * Resolves once the answer is over.
 */
async function endStalled(
  response: ServerResponse,
  { socketPath, limits: { lookMs, stallMs } }: Pick<Relay, "socketPath" | "limits">,
): Promise<void> {
  const over = new AbortController();
  let stalledMs = 0;
  response.on("drain", () => {
    stalledMs = 0;
  });
  response.once("close", () => {
    over.abort();
  });
  while (!over.signal.aborted && !response.closed) {
    await sleep(lookMs, over.signal);
    if (!response.writableNeedDrain) continue;
    stalledMs += lookMs;
    if (stalledMs >= stallMs) cut(response);
    else if ((await findListener(socketPath, lookMs)) === "nobody" && response.writableNeedDrain)
      cut(response);
  }
}
