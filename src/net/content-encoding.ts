/** Compressed answers, to clients that take them (RFC 9110, 12.5.3). */
import { readAcceptList } from "./accept-list.ts";

/** How an answer may be compressed, the better one first. */
export type Encoding = (typeof encodings)[number];
const encodings = ["zstd", "gzip"] as const;

/** The one that the client likes best. @param header `Accept-Encoding` */
export function bestEncoding(header: string | undefined): Encoding | undefined {
  const accepted = readAcceptList(header);
  const liking = (name: Encoding): number => accepted.find(({ value }) => value === name)?.q ?? 0;
  const best = Math.max(...encodings.map(liking));
  return best > 0 ? encodings.find((name) => liking(name) === best) : undefined;
}

/** By the fastest level of each, and not by the thread that answers. zlib is loaded with the first. */
export async function compressed(body: string | Uint8Array, encoding: Encoding): Promise<Buffer> {
  const { constants, gzip, zstdCompress } = await import("node:zlib");
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, result: Buffer): void => {
      if (error === null) resolve(result);
      else reject(error);
    };
    if (encoding === "gzip") gzip(body, { level: constants.Z_BEST_SPEED }, done);
    else zstdCompress(body, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }, done);
  });
}
