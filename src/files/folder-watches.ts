/**
 * The kernel's notice that something happened in a folder, as far as it gives one.
 *
 * A hint, never a promise: a watch may be refused (each user has a limited number), the file system may have none,
 * a folder may be replaced under it, and what lies behind a symbolic link is not seen. Whoever uses it looks now
 * and then as well. chokidar is for trees of files; this is one descriptor for the whole process.
 */
import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** Watches the folders of a set of files that may itself change. */
export class FolderWatches implements Disposable {
  readonly #onChange: () => void;
  readonly #onRefused: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #names: ReadonlySet<string> = new Set();

  /**
   * @param onChange called for every change of a file of that name, or of what Kubernetes swaps under it
   * @param onRefused called for every folder that is not watched, or no longer
   */
  constructor(onChange: () => void, onRefused: () => void) {
    this.#onChange = onChange;
    this.#onRefused = onRefused;
  }

  /** From now on watch the folders of these files, which exist. */
  follow(paths: readonly string[]): void {
    this.#names = new Set(paths.map((path) => basename(path)));
    const folders = new Set(paths.map((path) => dirname(path)));
    for (const folder of this.#watchers.keys()) if (!folders.has(folder)) this.#drop(folder);
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#add(folder);
  }

  [Symbol.dispose](): void {
    for (const folder of [...this.#watchers.keys()]) this.#drop(folder);
  }

  #add(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false });
      watcher.on("change", (_, name) => {
        this.#notice(folder, String(name));
      });
      watcher.on("error", () => {
        this.#drop(folder);
        this.#onRefused();
      });
      this.#watchers.set(folder, watcher);
    } catch {
      // Refused, or the folder is gone: looking now and then is left.
      this.#onRefused();
    }
  }

  #notice(folder: string, name: string): void {
    // The folder itself was moved or removed: the watch is on what nobody uses any more.
    if (name === basename(folder)) this.#drop(folder);
    // `..data` and its kin are what a Kubernetes volume swaps: every file of it leads through there.
    else if (!this.#names.has(name) && !name.startsWith("..")) return;
    this.#onChange();
  }

  #drop(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }
}
