/**
 * One gRPC call over a connection that is there (gRPC over HTTP/2), with whatever comes back instead.
 *
 * For those who ask a server that they do not know: grpc-js would hide what it is instead of what was expected.
 */
import { connect as connectHttp2, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";

/** The call. */
export interface GrpcCall {
  /** `host:port`, or the name that the server's certificate must carry. */
  readonly authority: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Undefined ends the request without a message. */
  readonly message: Uint8Array | undefined;
}

/** What came back. */
export interface GrpcAnswer {
  /** gRPC status code; undefined when the server does not speak gRPC. */
  readonly status: number | undefined;
  readonly message: string;
  readonly httpStatus: number;
  /** The first message of the answer; empty when there is none. */
  readonly body: Buffer;
  /** The answer's `date`, between `askedAt` and `answeredAt` of this clock. */
  readonly date?: Date;
  readonly askedAt: Date;
  readonly answeredAt: Date;
}

/** What precedes each message: one byte for its compression and four for its length. */
const frameHead = 5;

/** Longest answer that is taken, in bytes. */
const maxAnswerBytes = 65_536;

/** Speak HTTP/2 over `socket`. Resolves with the server's settings. */
export async function openSession(socket: Socket, scheme: "http" | "https"): Promise<ClientHttp2Session> {
  const session = connectHttp2(`${scheme}://localhost`, { createConnection: () => socket });
  await new Promise<void>((resolve, reject) => {
    session.once("remoteSettings", () => {
      resolve();
    });
    session.on("error", reject);
    session.once("close", () => {
      reject(new Error("the server closed the connection"));
    });
  }).catch((error: unknown) => {
    session.destroy();
    throw error;
  });
  return session;
}

/** Make the call and wait for its end. */
export function callGrpc(session: ClientHttp2Session, call: GrpcCall): Promise<GrpcAnswer> {
  const askedAt = new Date();
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ...call.metadata,
      ":authority": call.authority,
      ":method": "POST",
      ":path": call.path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    const seen: IncomingHttpHeaders = {};
    let answer = { httpStatus: 0, answeredAt: askedAt };
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.on("response", (headers) => {
      answer = { httpStatus: headers[":status"] ?? 0, answeredAt: new Date() };
      Object.assign(seen, headers);
    });
    stream.on("trailers", (headers) => Object.assign(seen, headers));
    stream.on("error", reject);
    stream.once("close", () => {
      if (answer.httpStatus === 0) {
        reject(new Error("the server closed the stream without an answer"));
        return;
      }
      const date = new Date(seen.date ?? "");
      resolve({
        status: statusOf(seen["grpc-status"]),
        message: percentDecoded(String(seen["grpc-message"] ?? "")),
        body: firstMessage(Buffer.concat(chunks)),
        askedAt,
        ...answer,
        ...(Number.isNaN(date.getTime()) ? {} : { date }),
      });
    });
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > maxAnswerBytes)
        stream.destroy(new Error(`the answer is longer than ${maxAnswerBytes} bytes`));
    });
    stream.end(call.message === undefined ? undefined : framed(call.message));
  });
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(frameHead + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, frameHead);
  return frame;
}

/** Of what is no frame, or is compressed, nothing. */
function firstMessage(answer: Buffer): Buffer {
  if (answer.length < frameHead || answer[0] !== 0) return Buffer.alloc(0);
  return answer.subarray(frameHead, frameHead + answer.readUInt32BE(1));
}

/** A message is percent-encoded (gRPC over HTTP/2); one that is not is taken as it is. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function statusOf(header: string | readonly string[] | undefined): number | undefined {
  return typeof header === "string" && /^\d+$/.test(header) ? Number(header) : undefined;
}
