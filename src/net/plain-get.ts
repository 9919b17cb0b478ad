/**
 * One GET over HTTP/1.1 without TLS for a short answer, always with a deadline: cheaper than a request through
 * `node:http`, for what an agent at rest asks again and again.
 */
import type { NetConnectOpts } from "node:net";
import { Deadline } from "../lifecycle/timer.ts";
import { HttpAnswerError } from "./http-client.ts";
import { PulledResponse } from "./pulled-response.ts";

/** Bytes that are read in one go. */
const pieceBytes = 16_384;

/** Longest answer that is taken, in bytes. */
const longestAnswer = 64 * 2 ** 20;

/** A whole answer. */
export interface PlainAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/**
 * Ask.
 *
 * @param at a Unix socket or a TCP address
 * @param path with its query
 * @param timeoutMs of the whole exchange
 * @throws the system error of a failed connection, HttpAnswerError for an answer that comes too late or is too long, or Error
 *   for what is none
 */
export async function plainGet(at: NetConnectOpts, path: string, timeoutMs: number): Promise<PlainAnswer> {
  using limit = new Deadline(timeoutMs);
  const { signal } = limit;
  try {
    const memory = Buffer.allocUnsafeSlow(pieceBytes);
    const headers = { host: "localhost", connection: "close" };
    using response = await PulledResponse.open({ at, path, headers, memory, signal });
    const pieces: Buffer[] = [];
    let bytes = 0;
    for (let piece = await response.next(); piece !== undefined; piece = await response.next()) {
      bytes += piece.length;
      if (bytes > longestAnswer)
        throw new HttpAnswerError("TOO_LONG", `the answer is longer than ${longestAnswer} bytes`);
      pieces.push(Buffer.from(piece));
    }
    return { status: response.head.status, body: Buffer.concat(pieces) };
  } catch (error) {
    if (!signal.aborted) throw error;
    const where = "path" in at ? at.path : `${at.host ?? "localhost"}:${at.port}`;
    const [asked = ""] = path.split("?");
    throw new HttpAnswerError("TOO_LATE", `${where} did not answer ${asked} within ${timeoutMs} ms`, error);
  }
}
