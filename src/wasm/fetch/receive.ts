/**
 * Bodies of answers, of which no more is taken in than they may have.
 */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { WasmFetchError } from "../fetch-error.ts";
import { type GuardedResponse, transportError } from "./guarded-http.ts";

/** Write a body to a new file, with mode 0600; gives its SHA-256 as hexadecimal digits. @throws WasmFetchError */
export async function receiveFile(
  response: GuardedResponse,
  path: string,
  maxBytes: number,
): Promise<string> {
  const { url, body, headers, deadline } = response;
  requireShort(url, Number(headers["content-length"] ?? 0), maxBytes);
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    await pipeline(
      body,
      async function* limited(chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          requireShort(url, bytes, maxBytes);
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(path, { flags: "wx", mode: 0o600 }),
      { signal: deadline },
    );
  } catch (error) {
    throw error instanceof WasmFetchError ? error : transportError(url, error, deadline);
  }
  return hash.digest("hex");
}

/** A small body. @throws WasmFetchError */
export async function receiveBytes(
  { url, body, deadline }: GuardedResponse,
  maxBytes: number,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      requireShort(url, bytes, maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof WasmFetchError ? error : transportError(url, error, deadline);
  }
  return Buffer.concat(chunks);
}

function requireShort(url: URL, bytes: number, maxBytes: number): void {
  if (bytes > maxBytes)
    throw new WasmFetchError("download_failure", `what ${url.host} answers is larger than ${maxBytes} bytes`);
}
