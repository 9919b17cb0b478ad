/**
 * When to read a folder again.
 *
 * The kernel's notice makes it at once. It is lost when the folder itself is replaced, behind links, and where the
 * kernel refuses to watch; so there is a look now and then as well.
 */
import { realpathSync, statSync } from "node:fs";
import { watchFiles } from "../../../files/file-watch.ts";
import { sleep } from "../../../lifecycle/sleep.ts";
import { Timer } from "../../../lifecycle/timer.ts";

/** What to follow. */
export interface FollowedFolder {
  readonly path: string;
  /** Tells one state of the folder from another. */
  readonly signature: () => string | Promise<string>;
  /** False when a file has to be read once more though its signature is the same. */
  readonly isSettled: () => boolean;
  /** Quiet time after a change before it is read, in milliseconds. */
  readonly debounceMs: number;
  /** A folder that never comes to rest is read all the same after so many milliseconds. */
  readonly debounceMaxMs: number;
}

/** Between two looks that nothing gave cause for, in milliseconds. */
const lookEveryMs = 1_000;

/** Share of the time that looks may take: those at thousands of files come less often. */
const lookShare = 0.02;

/** Call `read` at first and after each burst of changes, until `signal` aborts. Calls never overlap. */
export async function followFolder(
  { path, signature, isSettled, debounceMs, debounceMaxMs }: FollowedFolder,
  read: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const bell = new Bell();
  const ring = (): void => {
    bell.ring();
  };
  signal.addEventListener("abort", ring, { once: true });
  let identity = identityOf(path);
  let watch = watchFiles([realPathOf(path)], 0, ring);
  let seen: string | undefined;
  while (!signal.aborted) {
    const startedAt = performance.now();
    let current = await signature();
    const costMs = performance.now() - startedAt;
    if (current !== seen || !isSettled()) {
      const latestAt = startedAt + debounceMaxMs;
      for (let last = seen; current !== last && performance.now() < latestAt && !signal.aborted;) {
        last = current;
        await sleep(Math.min(debounceMs, debounceMaxMs), signal);
        current = await signature();
      }
      if (signal.aborted) break;
      await read();
      seen = current;
    }
    const now = identityOf(path);
    if (now !== identity) {
      identity = now;
      await watch[Symbol.asyncDispose]();
      watch = watchFiles([realPathOf(path)], 0, ring);
    }
    await bell.rung(Math.max(lookEveryMs, costMs / lookShare));
  }
  signal.removeEventListener("abort", ring);
  await watch[Symbol.asyncDispose]();
}

/** Wakes who waits, and whoever waits next when nobody did. */
class Bell {
  #isRung = false;
  #wake = (): void => undefined;

  ring(): void {
    this.#isRung = true;
    this.#wake();
  }

  async rung(withinMs: number): Promise<void> {
    if (!this.#isRung) {
      await new Promise<void>((resolve) => {
        const timer = new Timer(withinMs, resolve);
        this.#wake = (): void => {
          timer.cancel();
          resolve();
        };
      });
    }
    this.#isRung = false;
  }
}

/** Where the path leads to: a link to a folder is not watched as that folder is. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Another one is another folder at the same path, which a watch does not see. */
function identityOf(path: string): string {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return "";
  }
}
