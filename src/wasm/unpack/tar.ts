/**
 * One file out of a tar.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, type Headers } from "tar-stream";

/** A tar that holds too much, or not what it should; the message says which. */
export class TarError extends Error {
  override readonly name = "TarError";
}

/** How large a tar's parts may be. */
export interface TarLimits {
  readonly maxEntries: number;
  /** The file that is taken out, in bytes. */
  readonly maxFileBytes: number;
  /** What stands between two files: names and attributes, which are held in memory. */
  readonly maxHeaderBytes: number;
}

/**
 * Write the module of a tar to a new file: `plugin.wasm`, or else the first that is called `*.wasm`, or else the first
 * file.
 *
 * @param only takes no other name than `plugin.wasm`
 * @throws TarError, or the error of a damaged tar
 */
export async function extractModule(
  path: string,
  target: string,
  options: { readonly only: boolean; readonly limits: TarLimits; readonly signal: AbortSignal },
): Promise<void> {
  const names: string[] = [];
  await forEachFile(path, options, async ({ name, size = 0 }) => {
    if (size > options.limits.maxFileBytes)
      throw new TarError(`${name} is larger than ${options.limits.maxFileBytes} bytes`);
    names.push(name);
    return "next";
  });
  const chosen = chooseName(names, options.only);
  if (chosen === undefined)
    throw new TarError(
      options.only ? "there is no plugin.wasm in the image's last layer" : "there is no file in the tar",
    );
  await forEachFile(path, options, async ({ name }, content) => {
    if (name !== chosen) return "next";
    await pipeline(content, createWriteStream(target, { flags: "wx", mode: 0o600 }), {
      signal: options.signal,
    });
    return "enough";
  });
}

/** Which of a tar's files is the module. Pure. */
export function chooseName(names: readonly string[], only: boolean): string | undefined {
  const plugin = names.find((name) => posix.basename(name) === "plugin.wasm");
  if (plugin !== undefined || only) return plugin;
  return names.find((name) => name.endsWith(".wasm")) ?? names[0];
}

async function forEachFile(
  path: string,
  { limits, signal }: { readonly limits: TarLimits; readonly signal: AbortSignal },
  visit: (header: Headers, content: Readable) => Promise<"next" | "enough">,
): Promise<void> {
  const tar = extract();
  const headers = new HeaderMeter(limits.maxHeaderBytes);
  const source = createReadStream(path);
  const feeding = pipeline(
    source,
    async function* metered(chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        headers.passed(chunk.length);
        yield chunk;
      }
    },
    tar,
    { signal },
  );
  // Its error is that of the loop, which sees it too.
  feeding.catch(() => undefined);
  let entries = 0;
  for await (const entry of tar) {
    const { header } = entry;
    const { size = 0 } = header;
    // tar-stream would wait for the end of such a file for ever.
    if (!Number.isSafeInteger(size) || size < 0) throw new TarError(`${header.name} has an impossible size`);
    headers.entry(size);
    entries += 1;
    if (entries > limits.maxEntries) throw new TarError(`it has more than ${limits.maxEntries} entries`);
    if (header.type === "file" && (await visit(header, entry)) === "enough") break;
    entry.resume();
  }
}

/** tar-stream holds names and attributes of any length in memory: here is where it ends. */
class HeaderMeter {
  readonly #maxBytes: number;
  #left: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#left = maxBytes;
  }

  passed(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0)
      throw new TarError(`names and attributes in it are longer than ${this.#maxBytes} bytes`);
  }

  entry(size: number): void {
    this.#left = this.#maxBytes + size;
  }
}
