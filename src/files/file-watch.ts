/**
 * Notice of changes to files and folders, the only user of chokidar.
 *
 * A hint, never a promise: the kernel may refuse to watch, and a folder may be replaced. Whoever uses it looks now and
 * then as well.
 */
import { watch } from "chokidar";
import { Timer } from "../lifecycle/timer.ts";

/** Reports changes until disposed. */
export interface FileWatch extends AsyncDisposable {
  /** Resolves when every path is being watched. */
  readonly ready: Promise<void>;
}

/**
 * Call `onChange` once per burst of changes below `paths`, `debounceMs` after the last of them.
 *
 * A path that does not exist yet is noticed when it appears.
 */
export function watchFiles(paths: readonly string[], debounceMs: number, onChange: () => void): FileWatch {
  // What links lead to is seen by looking: a loop of them would be followed for ever.
  const watcher = watch([...paths], { ignoreInitial: true, followSymlinks: false });
  watcher.on("error", () => undefined);
  let timer: Timer | undefined;
  watcher.on("all", () => {
    timer?.cancel();
    timer = new Timer(debounceMs, onChange);
  });
  const ready = new Promise<void>((resolve) => {
    watcher.once("ready", resolve);
  });
  return {
    ready,
    async [Symbol.asyncDispose]() {
      timer?.cancel();
      await watcher.close();
    },
  };
}
