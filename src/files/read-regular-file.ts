/**
 * Reads files whose path comes from outside, or that others could have laid where they are.
 *
 * A FIFO holds an ordinary read for ever, a device such as `/dev/zero` has no end, and a regular file may grow while
 * it is read: the file is opened without waiting, looked at through its descriptor, and read up to a bound.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { type Actor, trustProblem } from "./ownership.ts";

/** What is read. */
export interface ReadOptions {
  /** More than this is an error; 1 MiB unless told, which is the most that a Secret or a ConfigMap holds. */
  readonly maxBytes?: number;
  /** A link at the path is an error (ELOOP): it may lead to what the path's owner could not read. */
  readonly noLink?: boolean;
  /** For whom `readOwnFile` judges whose file it is; this process unless told. */
  readonly actor?: Actor | undefined;
}

/** Why a file that is there is not read. */
export type FileRefusal = "NOT_REGULAR" | "TOO_LARGE" | "NOT_OURS";

/** A file that is there and must not be read. The message names the path and says why. */
export class FileRefusedError extends Error {
  override readonly name = "FileRefusedError";
  readonly code: FileRefusal;

  constructor(code: FileRefusal, message: string) {
    super(message);
    this.code = code;
  }
}

const defaultMaxBytes = 2 ** 20;

/**
 * The content of a regular file, at the end of all links.
 *
 * @throws FileRefusedError for what is not a regular file or has more bytes; the system error otherwise
 */
export function readRegularFile(path: string, options: ReadOptions = {}): Buffer {
  return readChecked(path, options.noLink === true ? constants.O_NOFOLLOW : 0, options, () => undefined);
}

/** The same as text. */
export function readRegularText(path: string, options: ReadOptions = {}): string {
  return readRegularFile(path, options).toString("utf8");
}

/**
 * A file that this program has kept for itself: no link, this user's or root's, and nobody else can have written it.
 *
 * @throws FileRefusedError as `readRegularFile` does, and for a file that others may have written
 */
export function readOwnFile(path: string, options: ReadOptions = {}): Buffer {
  return readChecked(path, constants.O_NOFOLLOW, options, (stat) => {
    const problem = trustProblem(stat, options.actor);
    if (problem !== undefined) throw new FileRefusedError("NOT_OURS", `${path} is not used: ${problem}`);
  });
}

/** The same as text. */
export function readOwnText(path: string, options: ReadOptions = {}): string {
  return readOwnFile(path, options).toString("utf8");
}

function readChecked(
  path: string,
  flags: number,
  { maxBytes = defaultMaxBytes }: ReadOptions,
  check: (stat: Stats) => void,
): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new FileRefusedError("NOT_REGULAR", `${path} is ${kindOf(stat)}, not a file`);
    check(stat);
    if (stat.size > maxBytes) throw tooLarge(path, maxBytes);
    return readToEnd(file, path, stat.size, maxBytes);
  } finally {
    closeSync(file);
  }
}

/** Files of procfs tell no size, and others may grow meanwhile. */
function readToEnd(file: number, path: string, size: number, maxBytes: number): Buffer {
  // A byte more than it should have tells the end.
  let buffer = Buffer.allocUnsafe(Math.min(Math.max(size + 1, 4_096), maxBytes + 1));
  for (let length = 0; ;) {
    const got = readSync(file, buffer, length, buffer.length - length, null);
    length += got;
    if (length > maxBytes) throw tooLarge(path, maxBytes);
    if (got === 0) return buffer.subarray(0, length);
    if (length === buffer.length) {
      const larger = Buffer.allocUnsafe(Math.min(2 * length, maxBytes + 1));
      buffer.copy(larger, 0, 0, length);
      buffer = larger;
    }
  }
}

function tooLarge(path: string, maxBytes: number): FileRefusedError {
  return new FileRefusedError("TOO_LARGE", `${path} has more than ${maxBytes} bytes`);
}

function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return "a folder";
  if (stat.isFIFO()) return "a FIFO";
  if (stat.isSocket()) return "a socket";
  return "a device";
}
