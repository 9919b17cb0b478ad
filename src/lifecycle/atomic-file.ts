/**
 * Files that a reader sees whole or not at all.
 */
import { renameSync, rmSync, writeFileSync } from "node:fs";

/** A file to be. */
export interface FileContent {
  readonly path: string;
  readonly content: string | Uint8Array;
}

/**
 * Write `content` to a temporary file beside `path` and rename it into place.
 *
 * @param mode permission bits, 0o600 unless told
 */
export function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o600): void {
  writeFilesAtomic([{ path, content }], mode);
}

/** The same for files that belong together: none is replaced before there is room for all. */
export function writeFilesAtomic(files: readonly FileContent[], mode = 0o600): void {
  const temporary = (path: string): string => `${path}.${process.pid}.tmp`;
  try {
    for (const { path, content } of files) writeFileSync(temporary(path), content, { mode });
    for (const { path } of files) renameSync(temporary(path), path);
  } catch (error) {
    for (const { path } of files) rmSync(temporary(path), { force: true });
    throw error;
  }
}
