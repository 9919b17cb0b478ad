/**
 * Gives Unix sockets back their names when somebody has removed them.
 *
 * A socket that has lost its name listens on, and nobody can reach it. The kernel still connects through a descriptor
 * of it (O_PATH), so one is held of each, and a link to that descriptor takes the place of the name.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  rmSync,
  type Stats,
  symlinkSync,
} from "node:fs";
import { dirname } from "node:path";
import { makeFolder } from "../files/folder.ts";

/** open(2); Node.js has no name for it. */
const O_PATH = 0o10000000;

interface Held {
  readonly descriptor: number;
  readonly dev: number;
  readonly ino: number;
}

/** Holds on to sockets until it is disposed. */
export class KeptSockets implements Disposable {
  readonly #held = new Map<string, Held>();

  /**
   * Hold what is new, let go of what is not among `paths` any more, and give lost names back.
   *
   * @returns those that were given back, and those for which that failed, with the error
   */
  look(paths: Iterable<string>): readonly { readonly path: string; readonly error: unknown }[] {
    const wanted = new Set(paths);
    for (const path of this.#held.keys()) if (!wanted.has(path)) this.#release(path);
    const changed: { readonly path: string; readonly error: unknown }[] = [];
    for (const path of wanted) {
      const held = this.#held.get(path);
      if (held === undefined) {
        this.#hold(path);
        continue;
      }
      if (isThere(path, held)) continue;
      try {
        makeFolder(dirname(path), 0o700);
        rmSync(path, { force: true });
        symlinkSync(linkTo(held), path);
        changed.push({ path, error: undefined });
      } catch (error) {
        changed.push({ path, error });
      }
    }
    return changed;
  }

  [Symbol.dispose](): void {
    for (const path of [...this.#held.keys()]) {
      const held = this.#held.get(path);
      try {
        // A link to what is about to be gone would be in the way of the next one.
        if (held !== undefined && linkAt(path) === linkTo(held)) rmSync(path, { force: true });
      } catch {
        // Whoever comes next replaces it.
      }
      this.#release(path);
    }
  }

  #hold(path: string): void {
    try {
      const descriptor = openSync(path, O_PATH | constants.O_NOFOLLOW);
      const stat = fstatSync(descriptor);
      if (stat.isSocket()) this.#held.set(path, { descriptor, dev: stat.dev, ino: stat.ino });
      else closeSync(descriptor);
    } catch {
      // It is not there yet, or there is no descriptor to spare: another look will tell.
    }
  }

  #release(path: string): void {
    const held = this.#held.get(path);
    if (held !== undefined) closeSync(held.descriptor);
    this.#held.delete(path);
  }
}

function isThere(path: string, held: Held): boolean {
  const found = statOf(path);
  if (found === undefined) return false;
  if (found.isSymbolicLink()) return linkAt(path) === linkTo(held);
  return found.ino === held.ino && found.dev === held.dev;
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    // ENOTDIR, EACCES: whatever is there, it is not the socket.
    return undefined;
  }
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Other processes of this user reach it too. */
function linkTo(held: Held): string {
  return `/proc/${process.pid}/fd/${held.descriptor}`;
}
