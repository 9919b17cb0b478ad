/**
 * A path that an operator has named for a command's output: a file is replaced whole, what is no file is written into.
 */
import { appendFileSync, lstatSync, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { writeFileAtomic } from "./atomic-file.ts";

/**
 * Write `text` to `path`. A device or a pipe, such as /dev/null or /dev/stdout, is written into: to replace it would take
 * it from everybody.
 *
 * @throws the system error
 */
export function writeGivenPath(path: string, text: string): void {
  if (isReplaceable(path)) writeFileAtomic(path, text);
  else appendFileSync(path, text);
}

function isReplaceable(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) return true;
  return found.isFile() && !isLinkOfSystem(path);
}

/** /dev/stdout and /dev/fd/1 are links of the system, also where standard output is a file. */
function isLinkOfSystem(path: string): boolean {
  const folder = realpathSync(dirname(path));
  return (folder === "/dev" || folder.startsWith("/proc/")) && lstatSync(path).isSymbolicLink();
}
