/**
 * The module in what was downloaded: as it is, compressed, or in a tar.
 *
 * Works from file to file, so that a large one needs no memory.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { open, rename } from "node:fs/promises";
import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { WasmFetchError } from "../fetch-error.ts";
import { type FileFormat, formatOf, headBytes } from "./format.ts";
import { extractModule, type TarLimits } from "./tar.ts";

/** What may be in it. */
export interface UnpackOptions {
  /** Largest module, in bytes; what is around it may be a little larger. */
  readonly maxModuleBytes: number;
  /** True for a layer of an image, in which the module has a fixed name. */
  readonly isLayer: boolean;
  readonly signal: AbortSignal;
}

/** Layers of wrapping: compressed, a tar in it, compressed once more. */
const mostWrappings = 3;

/** Room for the headers and the padding of a tar. */
const tarSlackBytes = 4_194_304;

const tarLimits = { maxEntries: 10_000, maxHeaderBytes: 1_048_576 } as const;

/**
 * Bring `path` down to the module in it; the result may be another file beside it.
 *
 * @returns path of the module
 * @throws WasmFetchError when there is none
 */
export async function unpackModule(path: string, options: UnpackOptions): Promise<string> {
  let current = path;
  for (let depth = 0; depth <= mostWrappings; depth += 1) {
    const format = formatOf(await readHead(current));
    if (format === "wasm") return current;
    const next = `${path}.${depth + 1}`;
    try {
      if (!(await unwrap(format, current, next, options))) throw unusable(format);
    } catch (error) {
      if (error instanceof WasmFetchError || options.signal.aborted) throw error;
      throw new WasmFetchError(
        "fetch_failure",
        `what was downloaded cannot be unpacked: ${errorMessage(error)}`,
        {
          cause: error,
        },
      );
    }
    current = next;
    await rename(next, path);
    current = path;
  }
  throw new WasmFetchError("fetch_failure", "what was downloaded is packed more than three times");
}

/** False for what wraps nothing. */
async function unwrap(
  format: FileFormat,
  from: string,
  to: string,
  options: UnpackOptions,
): Promise<boolean> {
  const { maxModuleBytes, isLayer, signal } = options;
  switch (format) {
    case "gzip":
      await inflate(createGunzip(), from, to, options);
      return true;
    case "zstd":
      await inflate(createZstdDecompress(), from, to, options);
      return true;
    case "tar": {
      const limits: TarLimits = { ...tarLimits, maxFileBytes: maxModuleBytes };
      await extractModule(from, to, { only: isLayer, limits, signal });
      return true;
    }
    case "wasm":
    case "component":
    case "unknown":
      return false;
  }
}

async function inflate(
  decompressor: Transform,
  from: string,
  to: string,
  { maxModuleBytes, signal }: UnpackOptions,
): Promise<void> {
  const most = maxModuleBytes + tarSlackBytes;
  let bytes = 0;
  await pipeline(
    createReadStream(from),
    decompressor,
    async function* limited(chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > most)
          throw new WasmFetchError("fetch_failure", `unpacked it is larger than ${most} bytes`);
        yield chunk;
      }
    },
    createWriteStream(to, { flags: "wx", mode: 0o600 }),
    { signal },
  );
}

async function readHead(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
  return buffer.subarray(0, bytesRead);
}

function unusable(format: FileFormat): WasmFetchError {
  return new WasmFetchError(
    "fetch_failure",
    format === "component"
      ? "what was downloaded is a component, not a module: build it for wasm32-unknown-unknown or wasm32-wasip1"
      : "what was downloaded is neither a Wasm module nor a tar or a compressed file with one",
  );
}
