/**
 * Notice of changed files by looking at them.
 *
 * A Kubernetes volume changes by swapping a symbolic link far from the file, and a watch may be lost without a
 * word; what `stat` says of the file at the end of all links is right each time, and costs some microseconds.
 */
import { statSync } from "node:fs";
import { errorCode } from "./error-message.ts";
import { sleep } from "./sleep.ts";

/**
 * Call `onChange` once after each burst of changes among `paths()`, until `signal` aborts.
 *
 * @param paths asked at every look: the files of the moment, missing ones included
 * @param everyMs between two looks; a burst is over when two looks in a row see the same
 */
export async function pollFiles(
  paths: () => readonly string[],
  everyMs: number,
  onChange: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let settled = look(paths());
  let last = settled;
  while (!signal.aborted) {
    await sleep(everyMs, signal);
    if (signal.aborted) return;
    const current = look(paths());
    if (current === last && current !== settled) {
      settled = current;
      await onChange();
      // What the reload made of it may have other files.
      settled = last = look(paths());
    } else {
      last = current;
    }
  }
}

function look(paths: readonly string[]): string {
  return paths.map(signature).join("\n");
}

/** Synchronous: a look at a local file takes less time than handing it to another thread. */
function signature(path: string): string {
  try {
    const { dev, ino, size, mtimeMs } = statSync(path);
    return `${path} ${dev} ${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    return `${path} ${errorCode(error) ?? "unknown"}`;
  }
}
