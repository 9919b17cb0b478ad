/**
 * The kernel's notice that something happened to files, as far as it gives one.
 *
 * A hint, never a promise: a watch may be refused (each user has a limited number), the file system may have none,
 * a folder may be replaced under it, or others write there all the time. Whoever uses it looks now and then as well: seldom
 * where all is watched, and often elsewhere. chokidar is for trees of files; this is one descriptor for the whole process.
 */
import { type FSWatcher, statSync, watch } from "node:fs";
import { basename } from "node:path";
import { isNoticed, noticePlaces } from "./notice-places.ts";

/** What is to be watched: names of interest in a folder, or undefined for a file itself. */
type Wanted = Map<string, { readonly path: string; readonly names: Set<string> | undefined }>;

/** So many notices of what is of no interest in so many milliseconds cost more than looking now and then does. */
const noise = { notices: 2_000, withinMs: 10_000 } as const;

/** As often what is new is looked for on a way that somebody changes all the time. */
const mostRounds = 8;

/** Watches a set of files that may itself change: what they are, and the folders on the way to them. */
export class FolderWatches implements Disposable {
  readonly #onChange: () => void;
  readonly #onRefused: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #wanted: Wanted = new Map();
  #isComplete = false;
  /** Notices of no interest, by what they came from. */
  readonly #idle = new Map<string, { count: number; readonly since: number }>();
  /** What is not watched any more for the noise that it makes. */
  readonly #noisy = new Set<string>();

  /**
   * @param onChange called for every change of a file of that name, or of what Kubernetes swaps under it
   * @param onRefused called for everything that is not watched, or no longer
   */
  constructor(onChange: () => void, onRefused: () => void) {
    this.#onChange = onChange;
    this.#onRefused = onRefused;
  }

  /** All is watched, where the kernel gives notice of every change. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** From now on watch these files. To be called again when one of them has changed. */
  follow(paths: Iterable<string>): void {
    const all = [...paths];
    let refused = 0;
    for (let round = 0, hasMore = true; hasMore; round += 1) {
      this.#isComplete = round < mostRounds;
      if (!this.#isComplete) break;
      ({ refused, hasMore } = this.#followOnce(all));
    }
    for (; refused > 0; refused -= 1) this.#refused();
  }

  [Symbol.dispose](): void {
    for (const key of [...this.#watchers.keys()]) this.#drop(key);
  }

  /** Whether there is more to watch than before, in which things may have come to be that gave no notice yet. */
  #followOnce(paths: readonly string[]): { readonly refused: number; readonly hasMore: boolean } {
    let refused = 0;
    this.#wanted = new Map();
    for (const path of paths) {
      try {
        this.#want(path);
      } catch {
        // Who may not look at the way to it is refused a watch as well.
        refused += 1;
      }
    }
    for (const key of this.#watchers.keys()) if (!this.#wanted.has(key)) this.#drop(key);
    for (const key of this.#noisy) if (!this.#wanted.has(key)) this.#noisy.delete(key);
    let hasMore = false;
    for (const [key, { path }] of this.#wanted) {
      if (!isNoticed(path) || this.#noisy.has(key)) this.#isComplete = false;
      if (this.#watchers.has(key) || this.#noisy.has(key)) continue;
      if (this.#add(key, path)) hasMore = true;
      else refused += 1;
    }
    return { refused, hasMore };
  }

  #want(path: string): void {
    const { places, file } = noticePlaces(path);
    for (const { folder, name } of places) {
      const key = keyOf(folder);
      const entry = this.#wanted.get(key) ?? { path: folder, names: new Set<string>() };
      entry.names?.add(name);
      this.#wanted.set(key, entry);
    }
    if (file !== undefined) this.#wanted.set(`file ${keyOf(file)}`, { path: file, names: undefined });
  }

  /** False where it is refused, or gone: looking now and then is left. */
  #add(key: string, path: string): boolean {
    try {
      const watcher = watch(path, { persistent: false });
      watcher.on("change", (_, name) => {
        this.#notice(key, String(name));
      });
      watcher.on("error", () => {
        this.#drop(key);
        this.#refused();
      });
      this.#watchers.set(key, watcher);
      return true;
    } catch {
      return false;
    }
  }

  #refused(): void {
    this.#isComplete = false;
    this.#onRefused();
  }

  #notice(key: string, name: string): void {
    const wanted = this.#wanted.get(key);
    if (wanted === undefined) return;
    const { path, names } = wanted;
    // The folder itself was moved or removed: the watch is on what nobody uses any more.
    if (names !== undefined && name === basename(path)) {
      this.#drop(key);
      this.#isComplete = false;
    }
    // `..data` and its kin are what a Kubernetes volume swaps: every file of it leads through there.
    else if (names !== undefined && !names.has(name) && !name.startsWith("..")) {
      if (!this.#isNoise(key)) return;
      this.#drop(key);
      this.#noisy.add(key);
      this.#isComplete = false;
    }
    this.#onChange();
  }

  /** One more of no interest is one too many. */
  #isNoise(key: string): boolean {
    const now = performance.now();
    const before = this.#idle.get(key);
    if (before === undefined || now - before.since > noise.withinMs) {
      this.#idle.set(key, { count: 1, since: now });
      return false;
    }
    before.count += 1;
    return before.count > noise.notices;
  }

  #drop(key: string): void {
    this.#idle.delete(key);
    this.#watchers.get(key)?.close();
    this.#watchers.delete(key);
  }
}

/** One that takes its place, or that of a folder above it, is another. @throws the system error where it is gone */
function keyOf(path: string): string {
  const { dev, ino } = statSync(path);
  return `${dev}:${ino} ${path}`;
}
