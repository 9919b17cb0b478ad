/**
 * Text that an operator names: a file, a FIFO such as a shell makes of `<(command)`, or standard input. Whoever writes there
 * may be slow, or never end: what is read has a bound, and a request to stop ends it.
 */
import { constants, openSync, statSync } from "node:fs";
import { Socket } from "node:net";
import { addAbortSignal, type Readable } from "node:stream";
import { readRegularText } from "../files/read-regular-file.ts";

/** How much, in bytes, and until when. */
export interface GivenTextOptions {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** @param path `-` is standard input @throws Error for what cannot be read, is longer, or was not ended by the time of `signal` */
export async function readGivenText(path: string, options: GivenTextOptions): Promise<string> {
  if (path === "-") return collected(process.stdin, "standard input", options);
  if (statSync(path, { throwIfNoEntry: false })?.isFIFO() !== true)
    return readRegularText(path, { maxBytes: options.maxBytes });
  // Waiting for a writer must keep no thread: it could not be ended.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return collected(new Socket({ fd, readable: true, writable: false }), path, options);
}

async function collected(
  stream: Readable,
  name: string,
  { maxBytes, signal }: GivenTextOptions,
): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of addAbortSignal(signal, stream)) {
      const bytes = Buffer.from(chunk as Uint8Array);
      length += bytes.length;
      if (length > maxBytes) throw new Error(`${name} has more than ${maxBytes} bytes`);
      chunks.push(bytes);
    }
  } catch (error) {
    throw signal.aborted ? new Error("stopped before its end came", { cause: error }) : error;
  }
  return Buffer.concat(chunks).toString("utf8");
}
