/**
 * Files as a tar.gz, the only user of tar-stream.
 */
import { createWriteStream, fstatSync, statSync, type WriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
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
    // What ends the archive ends each entry that waits, with the error that the pipeline has: heard there, it is no other's.
    archive.entry({ name: `${folder}/${name}`, mode: 0o600, mtime }, content).on("error", () => undefined);
  }
  archive.finalize();
  if (path === "-") {
    await pipeline(archive, createGzip(), await standardOutput());
    return;
  }
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isFile() && !found.isDirectory()) {
    // A device or a pipe is written to: to replace it would take it from everybody.
    await pipeline(archive, createGzip(), createWriteStream(path));
    return;
  }
  const temporary = temporaryName(path);
  try {
    await pipeline(archive, createGzip(), createWriteStream(temporary, { flags: "wx", mode: 0o600 }));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Where a file has been written to already, or is to be appended to, only the descriptor itself knows. */
async function standardOutput(): Promise<WriteStream> {
  const asItIs = (): WriteStream => createWriteStream("", { fd: 1, autoClose: false });
  if (!fstatSync(1).isFIFO()) return asItIs();
  try {
    // Somebody may have made it one that does not wait for its reader: opened anew it waits.
    return (await open("/proc/self/fd/1", "w")).createWriteStream();
  } catch {
    // Another user's pipe.
    return asItIs();
  }
}
