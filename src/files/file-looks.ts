/**
 * When to look at files that others replace, and what `stat` says of them.
 *
 * The kernel's notice makes it at once. It may be lost without a word, so there is a look at every tick too: seldom where
 * all that leads to the files is watched, and each second elsewhere. An agent that rests does little else, so a look that
 * finds everything as it was ends there.
 */
import { statSync } from "node:fs";
import { errorCode } from "../lifecycle/error-message.ts";
import { FolderWatches } from "./folder-watches.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { TickWait } from "../lifecycle/tick.ts";

/** What tells one state of a file from another, by path: equal for all files that are not there. */
export type Signatures = ReadonlyMap<string, string>;

/** What to look at, and how. */
export interface FileLooks {
  /** The files of the moment, missing ones included; asked before every look. */
  readonly paths: () => Iterable<string>;
  /** Between two looks that nothing gave cause for where the kernel may keep silent, in milliseconds; a second unless told. */
  readonly everyMs?: number;
  /**
   * Called at first, when the signatures have changed, when the kernel has noticed something, and now and then, for
   * files that were written twice within one tick of the file system's clock.
   *
   * @returns true when all is as it was, or has settled; else it is called again soon
   */
  readonly look: (signatures: Signatures) => Promise<boolean>;
  /** Something of theirs is not watched, or no longer: looking is left. */
  readonly onUnwatched?: (() => void) | undefined;
  /** Hastened where there are others than before. */
  readonly wait?: TickWait;
}

/** From a notice, or from a look that saw a change, to the next look: writers need a moment. Milliseconds. */
const settleMs = 100;

const defaultEveryMs = 1_000;

/** Between two looks where the kernel tells of every change, and until one without any cause elsewhere, in milliseconds. */
const seldomMs = 20_000;

const missing = "missing";

/** Look until `signal` aborts: at once, at each notice and at each tick. Looks never overlap. */
export async function lookAtFiles(
  { paths, everyMs = defaultEveryMs, look, onUnwatched = () => undefined, wait = new TickWait() }: FileLooks,
  signal: AbortSignal,
): Promise<void> {
  let seen: Signatures = new Map();
  let isHinted = false;
  let isSettled = false;
  let readAt = -Infinity;
  using folders = new FolderWatches(() => {
    isHinted = true;
    wait.hasten();
  }, onUnwatched);
  while (!signal.aborted) {
    let signatures = signaturesOf(paths());
    const isSame = areSame(signatures, seen);
    if (!isSame || isHinted) {
      // What leads to the files may be another way now, and give notice from now on.
      folders.follow(signatures.keys());
      signatures = signaturesOf(signatures.keys());
    }
    seen = signatures;
    const isDue = performance.now() - readAt >= seldomMs;
    if (!isSame || isHinted || !isSettled || isDue) {
      isHinted = false;
      readAt = performance.now();
      isSettled = await look(signatures);
    }
    const restMs = folders.isComplete ? Math.max(everyMs, seldomMs) : everyMs;
    if (isSettled && !isHinted) await wait.next(restMs, signal);
    if (!isSettled || isHinted) await sleep(settleMs, signal);
  }
}

/** Of what is at the end of all links. Synchronous: it takes less time than handing it to another thread. */
export function signaturesOf(paths: Iterable<string>): Signatures {
  const signatures = new Map<string, string>();
  for (const path of paths) if (!signatures.has(path)) signatures.set(path, signatureOf(path));
  return signatures;
}

/** The same files in the same state. */
export function areSame(some: Signatures, others: Signatures): boolean {
  if (some.size !== others.size) return false;
  for (const [path, signature] of some) if (others.get(path) !== signature) return false;
  return true;
}

function signatureOf(path: string): string {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined
      ? missing
      : `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
  } catch (error) {
    return errorCode(error) ?? "unknown";
  }
}
