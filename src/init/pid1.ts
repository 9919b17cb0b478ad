/**
 * What every command owes as PID 1 of a container.
 */
import { OwnedChildren } from "./owned-children.ts";
import { reapOrphans } from "./orphans.ts";
import { loadCollectChild } from "./waitpid.ts";
import { TaskGroup } from "../lifecycle/task-group.ts";
import { Watch } from "../lifecycle/watch.ts";
import type { SignalSource } from "./signals.ts";

/** What was done as PID 1. */
export interface InitReport {
  /** Orphaned processes whose exit code was collected so far. */
  readonly orphansReaped: number;
}

/** A running init; disposing ends it. */
export interface Init extends InitReport, AsyncDisposable {}

/** Collect orphans from now on. To be called before the first child is spawned. */
export function startInit(signals: SignalSource, printError: (line: string) => void): Init {
  const tasks = new TaskGroup();
  const owned = new OwnedChildren();
  const childExits = new Watch(0);
  let orphansReaped = 0;
  signals.on("SIGCHLD", () => {
    childExits.set(childExits.current + 1);
  });
  tasks.spawn("reap-orphans", (signal) =>
    reapOrphans(
      {
        childExits,
        owned,
        load: loadCollectChild,
        onReaped: () => {
          orphansReaped += 1;
        },
        onUnavailable: (reason) => {
          printError(
            `outrider is PID 1 but cannot collect orphaned processes, which stay zombies: ${reason}. ` +
              "Run it under an init (docker run --init, shareProcessNamespace) or install koffi beside it",
          );
        },
      },
      signal,
    ),
  );
  return {
    get orphansReaped() {
      return orphansReaped;
    },
    async [Symbol.asyncDispose]() {
      await tasks[Symbol.asyncDispose]();
      owned[Symbol.dispose]();
    },
  };
}
