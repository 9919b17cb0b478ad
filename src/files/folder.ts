/**
 * Folders.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { errorCode } from "../lifecycle/error-message.ts";

/**
 * Make a folder and those above it, unless they exist.
 *
 * Node's own recursive mkdir never returns on a file system that answers ENOENT below a folder that exists, as
 * procfs does.
 *
 * @throws the system error
 */
export function makeFolder(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const code = errorCode(error);
    if (code === "EEXIST") return;
    const parent = dirname(path);
    if (code !== "ENOENT" || parent === path) throw error;
    makeFolder(parent, mode);
    mkdirSync(path, { mode });
  }
}
