/**
 * Gives Unix sockets back their names when somebody has removed them.
 *
 * A socket that has lost its name listens on, and nobody can reach it. The kernel still connects through a descriptor
 * of it (O_PATH), so one is held of each, and a relay to that descriptor takes the place of the name.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, rmSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolder } from "../files/folder.ts";
import { SocketRelay } from "./socket-relay.ts";

/** open(2); Node.js has no name for it. */
const O_PATH = 0o10000000;

/** A file by its device and number. */
type FileId = Pick<Stats, "dev" | "ino">;

interface Held {
  readonly descriptor: number;
  /** Permissions of the socket and of the folder that it is in. */
  readonly mode: number;
  readonly folderMode: number;
  /** What the name stands for: the socket, or the relay to it. */
  readonly named: FileId;
  readonly relay: SocketRelay | undefined;
}

/** Holds on to sockets until it is disposed. */
export class KeptSockets implements Disposable {
  readonly #held = new Map<string, Held>();

  /**
   * Hold what is new, let go of what is not among `paths` any more, and give lost names back. One at a time.
   *
   * @returns those that were given back, and those for which that failed, with the error
   */
  async look(
    paths: Iterable<string>,
  ): Promise<readonly { readonly path: string; readonly error: unknown }[]> {
    const wanted = new Set(paths);
    for (const path of this.#held.keys()) if (!wanted.has(path)) this.#release(path);
    const changed: { readonly path: string; readonly error: unknown }[] = [];
    for (const path of wanted) {
      const held = this.#held.get(path);
      if (held === undefined) {
        this.#hold(path);
        continue;
      }
      if (isThere(path, held.named)) continue;
      try {
        await this.#giveBack(path, held);
        changed.push({ path, error: undefined });
      } catch (error) {
        changed.push({ path, error });
      }
    }
    return changed;
  }

  /** True once a look has got hold of it. */
  holds(path: string): boolean {
    return this.#held.has(path);
  }

  [Symbol.dispose](): void {
    for (const path of [...this.#held.keys()]) this.#release(path);
  }

  #hold(path: string): void {
    try {
      const descriptor = openSync(path, O_PATH | constants.O_NOFOLLOW);
      const stat = fstatSync(descriptor);
      const folderMode = statSync(dirname(path)).mode & 0o777;
      const mode = stat.mode & 0o777;
      if (stat.isSocket())
        this.#held.set(path, { descriptor, mode, folderMode, named: stat, relay: undefined });
      else closeSync(descriptor);
    } catch {
      // It is not there yet, or there is no descriptor to spare: another look will tell.
    }
  }

  async #giveBack(path: string, held: Held): Promise<void> {
    // Before the next one is bound: it removes its name.
    held.relay?.[Symbol.dispose]();
    makeFolder(dirname(path), held.folderMode);
    rmSync(path, { force: true });
    const relay = await SocketRelay.listen(path, held.mode, `/proc/self/fd/${held.descriptor}`);
    this.#held.set(path, { ...held, named: lstatSync(path), relay });
  }

  #release(path: string): void {
    const held = this.#held.get(path);
    held?.relay?.[Symbol.dispose]();
    if (held !== undefined) closeSync(held.descriptor);
    this.#held.delete(path);
  }
}

function isThere(path: string, { dev, ino }: FileId): boolean {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found?.ino === ino && found.dev === dev;
  } catch {
    // ENOTDIR, EACCES: whatever is there, it is not the socket.
    return false;
  }
}
