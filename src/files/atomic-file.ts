/**
 * Files that a reader sees whole or not at all, and that nobody else can have laid there.
 *
 * The content goes into a new file under a name that cannot be guessed (O_EXCL, O_NOFOLLOW), which then takes the
 * place of whatever had the name: a link, or a file with another owner and mode, is replaced and never written into.
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { errorCode } from "../lifecycle/error-message.ts";

/** A file to be. */
export interface FileContent {
  readonly path: string;
  readonly content: string | Uint8Array;
}

/** How it is written. */
export interface WriteOptions {
  /** Permission bits whatever the umask, 0o600 unless told. */
  readonly mode?: number;
  /** Wait until the disk has it, as for what cannot be made again. */
  readonly durable?: boolean;
}

/**
 * Write `content` to a temporary file beside `path` and rename it into place.
 *
 * @throws the system error; nothing is left behind then
 */
export function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  options: WriteOptions | number = {},
): void {
  writeFilesAtomic([{ path, content }], options);
}

/** The same for files that belong together: none is replaced before there is room for all. */
export function writeFilesAtomic(files: readonly FileContent[], options: WriteOptions | number = {}): void {
  const { mode = 0o600, durable = false } = typeof options === "number" ? { mode: options } : options;
  const written: { readonly temporary: string; readonly path: string }[] = [];
  try {
    for (const { path, content } of files) {
      removeLeftovers(path);
      const temporary = temporaryName(path);
      written.push({ temporary, path });
      writeNewFile(temporary, content, { mode, durable });
    }
    for (const { temporary, path } of written) renameSync(temporary, path);
    if (durable) for (const folder of new Set(files.map(({ path }) => dirname(path)))) syncFolder(folder);
  } catch (error) {
    for (const { temporary } of written) rmSync(temporary, { force: true });
    throw error;
  }
}

/** What `link` says on a file system without hard links. */
const withoutLinks: readonly (string | undefined)[] = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"];

/**
 * Write `content` to `path` unless there is something: of several processes that try at once one succeeds, and the
 * others find its file whole (where the file system has hard links).
 *
 * @returns false when there was something
 * @throws the system error
 */
export function writeFileOnce(
  path: string,
  content: string | Uint8Array,
  options: WriteOptions = {},
): boolean {
  const { mode = 0o600, durable = false } = options;
  removeLeftovers(path);
  const temporary = temporaryName(path);
  try {
    writeNewFile(temporary, content, { mode, durable });
    try {
      linkSync(temporary, path);
    } catch (error) {
      if (!withoutLinks.includes(errorCode(error))) throw error;
      writeNewFile(path, content, { mode, durable });
    }
    if (durable) syncFolder(dirname(path));
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** A name beside `path` that nobody can foresee. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(8).toString("hex")}.tmp`);
}

/** Flags for a file that must not have been there. */
export const newFileFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** @throws the system error, EEXIST for whatever has the name already */
function writeNewFile(path: string, content: string | Uint8Array, options: Required<WriteOptions>): void {
  const { mode, durable } = options;
  const file = openSync(path, newFileFlags, mode);
  try {
    if ((fstatSync(file).mode & 0o7777) !== mode) fchmodSync(file, mode);
    writeFileSync(file, content);
    if (durable) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** From this age on, in milliseconds, a temporary file is one whose writer was killed. */
const leftoverMs = 60_000;

/** What killed processes of this user have left of earlier tries to write `path`. */
export function removeLeftovers(path: string): void {
  const folder = dirname(path);
  const prefix = `.${basename(path)}.`;
  for (const name of namesIn(folder)) {
    if (!name.startsWith(prefix) || !/^[0-9a-f]{16}\.tmp$/.test(name.slice(prefix.length))) continue;
    const found = lstatSync(join(folder, name), { throwIfNoEntry: false });
    if (found === undefined || found.uid !== process.geteuid?.()) continue;
    if (Date.now() - found.mtimeMs > leftoverMs) rmSync(join(folder, name), { force: true });
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // A folder that can be written may still not be one that can be listed.
    return [];
  }
}
