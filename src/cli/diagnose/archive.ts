/**
 * Files as a tar.gz, the only user of tar-stream.
 */
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import { temporaryName } from "../../files/atomic-file.ts";
import type { BundleFile } from "./bundle.ts";

/**
 * Write `files` below a folder of that name. The archive is for its owner only, and at its place whole or not at all.
 *
 * @param path `-` is standard output
 * @throws the system error when it cannot be written
 */
export async function writeArchive(
  path: string,
  folder: string,
  files: readonly BundleFile[],
  mtime: Date,
): Promise<void> {
  const archive = pack();
  for (const { name, content } of files) {
    archive.entry({ name: `${folder}/${name}`, mode: 0o600, mtime }, content);
  }
  archive.finalize();
  if (path === "-") {
    await pipeline(archive, createGzip(), createWriteStream("/dev/stdout"));
    return;
  }
  const temporary = temporaryName(path);
  try {
    await pipeline(archive, createGzip(), createWriteStream(temporary, { flags: "wx", mode: 0o600 }));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
