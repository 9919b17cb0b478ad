/**
 * The termination log: a file in which a container says why it ended (Kubernetes' `terminationMessagePath`). The
 * kubelet shows its content as the container's last state.
 */
import { accessSync, closeSync, constants, fstatSync, openSync, writeFileSync } from "node:fs";
import { errorMessage } from "../lifecycle/error-message.ts";

/** Where the kubelet looks unless the pod says otherwise. */
export const defaultTerminationLog = "/dev/termination-log";

/** A FIFO that nobody reads is an error instead of a wait, and a link leads nowhere. */
const flags =
  constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** Bytes that the kubelet takes of one container. */
const maxBytes = 4_096;

/** Lines as the file holds them: cut at a character, with a mark, where they are too long. */
export function terminationMessage(lines: readonly string[]): string {
  const text = lines.map((line) => `${line}\n`).join("");
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  const mark = "…\n";
  let end = maxBytes - Buffer.byteLength(mark);
  // A byte of the form 10xxxxxx goes on with a character that began before it.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.subarray(0, end).toString("utf8")}${mark}`;
}

/**
 * Write why this process ends.
 *
 * @param path undefined takes the default where it can be written; `off` and an empty text write nothing
 * @returns what went wrong with a path that was asked for
 */
export function writeTerminationLog(path: string | undefined, lines: readonly string[]): string | undefined {
  if (path === "" || path === "off" || (path === undefined && !isWritable(defaultTerminationLog)))
    return undefined;
  const target = path ?? defaultTerminationLog;
  try {
    // The kubelet mounts the file itself, so it cannot be replaced by a rename.
    const file = openSync(target, flags, 0o644);
    try {
      if (!fstatSync(file).isFile()) throw new Error("it is not a file");
      writeFileSync(file, terminationMessage(lines));
    } finally {
      closeSync(file);
    }
    return undefined;
  } catch (error) {
    return `${target} cannot be written: ${errorMessage(error)}`;
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
