/**
 * One GET of the workload: by HTTP/1.1, or by HTTP/2 where TLS agrees on it.
 *
 * A certificate is not verified, because a workload is asked by its address, as the kubelet asks it.
 */
import type { Agent, IncomingMessage, OutgoingHttpHeaders, RequestOptions } from "node:http";
import type { ClientHttp2Stream } from "node:http2";
import { isIP } from "node:net";
import type { Readable } from "node:stream";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { openSession } from "../grpc/bare-call.ts";
import { errorCode } from "../lifecycle/error-message.ts";
import { formatHostPort, unbracketed } from "../net/host-port.ts";
import { settleAnyhow } from "../net/settle-anyhow.ts";
import { connectTo } from "./tcp.ts";
import { uncaptured } from "./uncaptured.ts";

/** What is asked, and how. */
export interface HttpQuestion {
  /** Scheme, host and port; the path does not count. */
  readonly url: URL;
  /** Path and query. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  /** Address to connect from; undefined leaves it to the kernel. */
  readonly sourceAddress: string | undefined;
  /** Offer HTTP/2 in TLS. */
  readonly offersHttp2: boolean;
  /** How much of the body is read, in bytes; the rest is left. */
  readonly maxBodyBytes: number;
  /** Keeps connections without TLS for the next question; undefined has one for each. */
  readonly agent: Agent | undefined;
}

/** What was answered. */
export interface HttpReply {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: Buffer;
}

/** Ask. @throws the error of a failed exchange, or the signal's reason */
export function exchange(question: HttpQuestion, signal: AbortSignal): Promise<HttpReply> {
  return question.url.protocol === "https:" ? overTls(question, signal) : overTcp(question, signal);
}

async function overTcp(question: HttpQuestion, signal: AbortSignal): Promise<HttpReply> {
  return uncaptured(question, (localAddress) =>
    overHttp1(question, {
      agent: question.agent ?? false,
      signal,
      ...(localAddress === undefined ? {} : { localAddress }),
    }),
  );
}

async function overTls(question: HttpQuestion, signal: AbortSignal): Promise<HttpReply> {
  const { url, offersHttp2, sourceAddress } = question;
  const host = unbracketed(url.hostname);
  const socket = await connectTo({ host, port: portOf(url), sourceAddress }, signal);
  try {
    const secured = await secure({
      socket,
      rejectUnauthorized: false,
      servername: isIP(host) === 0 ? host : "",
      ALPNProtocols: [...(offersHttp2 ? ["h2"] : []), "http/1.1"],
    });
    return secured.alpnProtocol === "h2"
      ? await overHttp2(question, secured)
      : await overHttp1(question, { createConnection: () => secured, defaultPort: 443, signal });
  } finally {
    socket.destroy();
  }
}

function secure(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls(options);
    socket.once("secureConnect", () => {
      resolve(socket);
    });
    socket.on("error", reject);
    socket.once("close", () => {
      reject(new Error("it closed the connection before TLS was agreed on"));
    });
  });
}

async function overHttp1(question: HttpQuestion, how: RequestOptions): Promise<HttpReply> {
  const response = await headOver(question, how);
  const body = await bodyOf(response, question.maxBodyBytes);
  return { status: response.statusCode ?? 0, location: response.headers.location, body };
}

/** A connection that was kept and is closed just now says nothing of the workload, which is asked by another, once. */
async function headOver(question: HttpQuestion, how: RequestOptions): Promise<IncomingMessage> {
  const { request: open } = await import("node:http");
  const { url, path, headers } = question;
  return new Promise((resolve, reject) => {
    const request = open(
      { host: unbracketed(url.hostname), port: portOf(url), path, headers, ...how },
      resolve,
    );
    request.on("error", (error) => {
      const isStale = request.reusedSocket && closedCodes.includes(errorCode(error));
      if (isStale && how.signal?.aborted !== true) resolve(headOver(question, { ...how, agent: false }));
      else reject(error);
    });
    settleAnyhow(request, how.signal, reject);
    request.end();
  });
}

const closedCodes: readonly (string | undefined)[] = ["ECONNRESET", "EPIPE"];

async function overHttp2(
  { url, path, headers, maxBodyBytes }: HttpQuestion,
  socket: TLSSocket,
): Promise<HttpReply> {
  const session = await openSession(socket, "https");
  try {
    const lower = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    const { host = formatHostPort({ host: unbracketed(url.hostname), port: portOf(url) }), ...rest } = lower;
    const stream = session.request({
      ...rest,
      ":method": "GET",
      ":scheme": "https",
      ":authority": String(host),
      ":path": path,
    });
    const { status, location } = await headOf(stream);
    return { status, location, body: await bodyOf(stream, maxBodyBytes) };
  } finally {
    session.destroy();
  }
}

function headOf(stream: ClientHttp2Stream): Promise<Omit<HttpReply, "body">> {
  return new Promise((resolve, reject) => {
    stream.once("response", ({ ":status": status = 0, location }) => {
      resolve({ status, location });
    });
    stream.on("error", reject);
    stream.once("close", () => {
      reject(new Error("it closed the stream without an answer"));
    });
  });
}

/** The beginning of a body; what is longer, or of no interest, is cut off. @throws the error that ends it early */
function bodyOf(body: Readable, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (): void => {
      resolve(Buffer.concat(chunks).subarray(0, maxBytes));
    };
    body.on("error", reject);
    if (maxBytes === 0) {
      finish();
      body.destroy();
      return;
    }
    body.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes < maxBytes) return;
      finish();
      body.destroy();
    });
    body.once("end", finish);
    body.once("close", () => {
      reject(new Error("it closed the connection in the middle of its answer"));
    });
  });
}

/** Where a URL leads that need not say it. */
export function portOf({ protocol, port }: URL): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}
