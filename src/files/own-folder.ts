/**
 * Folders for what is ours alone, and work in them that no link can lead elsewhere.
 *
 * Between a look at a path and its use, whoever may write a folder above it can put another one there. So the
 * folder is opened, looked at through its descriptor, and used through it.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../lifecycle/error-message.ts";
import { makeFolder } from "./folder.ts";
import { trustProblem } from "./ownership.ts";

/** A folder that is there and is not ours to use. The message says why and what to do. */
export class FolderNotOursError extends Error {
  override readonly name = "FolderNotOursError";
  readonly code = "NOT_OURS";
}

/**
 * Make a folder that only this user may look into, and those above it. One that exists is checked and left as it is.
 *
 * @throws FolderNotOursError when it is a link or no folder, or when others may write it; the system error otherwise
 */
export function makeOwnFolder(path: string): void {
  makeFolder(path, 0o700);
  inOwnFolder(path, () => undefined);
}

/**
 * Run `work` in a folder of ours. The path that it gets means this folder whatever becomes of its name.
 *
 * @returns undefined when there is no such folder
 * @throws as `makeOwnFolder` does
 */
export function inOwnFolder<T>(path: string, work: (anchored: string) => T): T | undefined {
  const folder = openFolder(path);
  if (folder === undefined) return undefined;
  try {
    const problem = trustProblem(fstatSync(folder));
    if (problem !== undefined) throw notOurs(path, problem);
    const anchored = `/proc/self/fd/${folder}`;
    return work(existsSync(anchored) ? anchored : path);
  } finally {
    closeSync(folder);
  }
}

/**
 * Remove what is named in a folder of ours, links as links and folders with all that is in them.
 *
 * @throws as `makeOwnFolder` does
 */
export function removeFromOwnFolder(path: string, names: readonly string[]): void {
  inOwnFolder(path, (anchored) => {
    for (const name of names) rmSync(join(anchored, name), { recursive: true, force: true });
  });
}

function openFolder(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return undefined;
    if (code === "ELOOP" || code === "ENOTDIR") throw notOurs(path, "it is a link or a file, and no folder");
    throw error;
  }
}

function notOurs(path: string, problem: string): FolderNotOursError {
  return new FolderNotOursError(
    `the folder ${path} is not used: ${problem}; remove it, give it to this user alone, or name another one`,
  );
}
