/**
 * Files that a reader sees whole or not at all.
 */
import { renameSync, rmSync, writeFileSync } from "node:fs";

/**
 * Write `content` to a temporary file beside `path` and rename it into place.
 *
 * @param mode permission bits, 0o600 unless told
 */
export function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o600): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, content, { mode });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
