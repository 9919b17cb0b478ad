/** Compresses what leaves; the fastest level of each, as the scraper waits for the agent's processor and not for the network. */
import { pipeline, type Readable } from "node:stream";
import { constants, createGzip, createZstdCompress } from "node:zlib";
import type { Encoding } from "../net/content-encoding.ts";

/** Errors and the end of either side reach the other. */
export function encoded(body: Readable, encoding: Encoding | undefined): Readable {
  if (encoding === undefined) return body;
  const compressor =
    encoding === "gzip"
      ? createGzip({ level: constants.Z_BEST_SPEED, chunkSize: 65_536 })
      : createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1 }, chunkSize: 65_536 });
  return pipeline(body, compressor, () => undefined);
}
