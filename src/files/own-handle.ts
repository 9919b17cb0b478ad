/**
 * Large files of this program's own, read and written without holding it up.
 */
import { constants } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { newFileFlags, removeLeftovers, temporaryName } from "./atomic-file.ts";
import { trustProblem } from "./ownership.ts";
import { FileRefusedError } from "./read-regular-file.ts";

/**
 * The content of a file, as `readOwnFile` gives it.
 *
 * @throws FileRefusedError for what is no file, has more bytes, or others may have written; the system error otherwise
 */
export async function loadOwnFile(path: string, maxBytes: number): Promise<Buffer> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  const stat = await file.stat();
  if (!stat.isFile()) throw new FileRefusedError("NOT_REGULAR", `${path} is not a file`);
  const problem = trustProblem(stat);
  if (problem !== undefined) throw new FileRefusedError("NOT_OURS", `${path} is not used: ${problem}`);
  if (stat.size > maxBytes)
    throw new FileRefusedError("TOO_LARGE", `${path} has more than ${maxBytes} bytes`);
  // Nobody else can make it grow meanwhile.
  return file.readFile();
}

/** Write a file as `writeFileAtomic` does, with mode 0600. @throws the system error; nothing is left behind then */
export async function storeOwnFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  removeLeftovers(path);
  const temporary = temporaryName(path);
  const file = await open(temporary, newFileFlags, 0o600);
  try {
    try {
      await write(file);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
