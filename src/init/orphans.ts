/**
 * PID 1's duty towards processes whose parent has ended: the kernel makes them its children, and they stay zombies
 * until it collects their exit code.
 *
 * A sweep is triggered by SIGCHLD, which the kernel sends when a child ends and also when PID 1 inherits one that
 * has ended already; no SIGCHLD, no cost. A sweep collects exactly those pids that are zombies, children of this
 * process and not owned by Node.js: a zombie keeps its pid until it is collected, so there is no moment in which the
 * pid could become another's.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { errorMessage } from "../lifecycle/error-message.ts";
import { readProcessStat } from "../process/identity.ts";
import { sleep } from "../lifecycle/sleep.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import { childPids, isZombieOf } from "./child-list.ts";
import type { OwnedChildren } from "./owned-children.ts";
import type { CollectChild } from "./waitpid.ts";

/** What the reaper works with. */
export interface ReaperOptions {
  /** Counts SIGCHLD. */
  readonly childExits: ReadonlyWatch<number>;
  readonly owned: OwnedChildren;
  /** Called when the first orphan is met. */
  readonly load: () => Promise<CollectChild>;
  /** An orphan's exit code was collected. */
  readonly onReaped: () => void;
  /** Orphans cannot be collected, for this reason: the reaper ends. */
  readonly onUnavailable: (reason: string) => void;
}

/** Children looked at in one turn of the event loop: about a millisecond. */
const batchSize = 50;

/** Between two sweeps, in milliseconds: a storm of SIGCHLD costs fifty of them a second. */
const settleMs = 20;

/** Longest wait before a zombie that was left is looked at again, in milliseconds. */
const longestMs = 1_000;

/** Collect orphans until `signal` aborts. Never rejects. */
export async function reapOrphans(options: ReaperOptions, signal: AbortSignal): Promise<void> {
  let collect: CollectChild | undefined;
  const load = async (): Promise<CollectChild> => (collect ??= await options.load());
  try {
    for await (const _ of options.childExits.changes(signal)) {
      // What is left belongs to Node.js, which collects it in this or the next turn; its pid may then be an orphan's.
      for (let delayMs = settleMs; !signal.aborted; delayMs = Math.min(2 * delayMs, longestMs)) {
        const left = await sweep(options, load);
        await sleep(delayMs, signal);
        if (left === 0) break;
      }
    }
  } catch (error) {
    options.onUnavailable(errorMessage(error));
  }
}

/** Collect every orphan that has ended; resolves with the number of zombies that are left. */
async function sweep(options: ReaperOptions, load: () => Promise<CollectChild>): Promise<number> {
  const pids = childPids();
  let left = 0;
  for (let start = 0; start < pids.length; start += batchSize) {
    if (start > 0) await nextTurn();
    const zombies = pids.slice(start, start + batchSize).filter(isZombie);
    left += zombies.length;
    if (orphansAmong(zombies, options.owned.pids()).length === 0) continue;
    const collect = await load();
    // Asked again: while the library was loaded, Node.js may have spawned a child with a pid of this list.
    for (const pid of orphansAmong(zombies.filter(isZombie), options.owned.pids())) {
      if (!collect(pid)) continue;
      left -= 1;
      options.onReaped();
    }
  }
  return left;
}

/** The zombies that nobody else will collect. */
export function orphansAmong(zombies: readonly number[], owned: ReadonlySet<number>): readonly number[] {
  return zombies.filter((pid) => !owned.has(pid));
}

function isZombie(pid: number): boolean {
  return isZombieOf(process.pid, readProcessStat(pid));
}
