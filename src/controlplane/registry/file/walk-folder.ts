/**
 * Which YAML files lie below a folder, and what `stat` says of each.
 *
 * People and tools lay their own things there too: an editor's swap files, and the folders between which a Kubernetes
 * volume swaps. All of them begin with a dot, and so does nothing that is read.
 */
import { isUtf8 } from "node:buffer";
import { type BigIntStats, lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorCode, errorMessage } from "../../../lifecycle/error-message.ts";
import type { ConfigProblem } from "../../config/problem.ts";

/** A file to read. */
export interface FoundFile {
  readonly path: string;
  /** Tells one state of the file from another. */
  readonly signature: string;
  /** When it was last changed, in milliseconds of the wall clock. */
  readonly changedAtMs: number;
}

/** What a walk saw. */
export interface FolderWalk {
  /** In the order of their paths. */
  readonly files: readonly FoundFile[];
  /** What could not be looked at. */
  readonly problems: readonly ConfigProblem[];
}

/** Folders below each other; a mesh has two or three. */
const maxDepth = 16;

/** More is no configuration, and would take minutes to read. */
const maxFiles = 20_000;

/** Look at everything below `folder`, at the end of all links; stops between files, for others to have their turn. Never throws. */
export function* walkFolder(folder: string): Generator<void, FolderWalk> {
  const walk = new Walk();
  yield* walk.enter(folder, 0);
  const files = walk.files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return { files, problems: walk.problems };
}

class Walk {
  readonly files: FoundFile[] = [];
  readonly problems: ConfigProblem[] = [];
  /** A folder that several links lead to is read once, and a loop of links ends. */
  readonly #entered = new Set<string>();

  *enter(folder: string, depth: number): Generator<void, void> {
    const names = this.#attempt(folder, "Create it, or name another folder", () => {
      const { dev, ino } = statSync(folder, { bigint: true });
      const id = `${dev} ${ino}`;
      if (this.#entered.has(id)) return [];
      this.#entered.add(id);
      return readdirSync(folder, { encoding: "buffer" });
    });
    for (const bytes of names ?? []) {
      const name = bytes.toString("utf8");
      if (name.startsWith(".")) continue;
      const path = join(folder, name);
      if (isUtf8(bytes)) yield* this.#look(path, name, depth + 1);
      else if (isYaml(name)) this.#refuse(path, "has a name that is no UTF-8. Rename it");
      yield;
    }
  }

  *#look(path: string, name: string, depth: number): Generator<void, void> {
    const stat = this.#attempt(path, "Mend or remove it", () => {
      try {
        return statSync(path, { bigint: true });
      } catch (error) {
        // Gone since the folder was read; a link that leads nowhere is still there, and an object less without a word.
        const isGone =
          errorCode(error) === "ENOENT" && lstatSync(path, { throwIfNoEntry: false }) === undefined;
        if (!isYaml(name) || isGone) return undefined;
        throw error;
      }
    });
    if (stat?.isDirectory() === true) yield* this.#descend(path, depth);
    else if (isYaml(name) && stat !== undefined) this.#add(path, stat);
  }

  *#descend(path: string, depth: number): Generator<void, void> {
    if (depth > maxDepth) this.#refuse(path, `lies more than ${maxDepth} folders deep. Move it up`);
    else yield* this.enter(path, depth);
  }

  #add(path: string, stat: BigIntStats): void {
    if (!stat.isFile()) this.#refuse(path, "is not a regular file. Remove it, or put a file in its place");
    else if (this.files.length === maxFiles)
      this.#refuse(path, `is one of more than ${maxFiles} files. Put several objects into one file`);
    else if (this.files.length < maxFiles) {
      const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = stat;
      const signature = `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
      this.files.push({ path, signature, changedAtMs: Number(ctimeMs) });
    }
  }

  #attempt<T>(source: string, remedy: string, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.#refuse(source, `cannot be read: ${errorMessage(error)}. ${remedy}`);
      return undefined;
    }
  }

  #refuse(source: string, message: string): void {
    // One word on each is enough, and on all of a hundred thousand too much.
    if (this.problems.length < 100) this.problems.push({ source, line: 0, path: "", message });
  }
}

function isYaml(name: string): boolean {
  return /\.ya?ml$/.test(name);
}
