/**
 * Modules on disk, for Envoy to read and for the next start.
 *
 * Each is a file that is there whole or not at all, below a folder of its source and under its checksum. A file's
 * time says when it was last used. What an earlier agent left is used again once its content was compared.
 */
import { randomUUID } from "node:crypto";
import { chmod, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { makeOwnFolder, removeFromOwnFolder } from "../../files/own-folder.ts";
import { readOwnText } from "../../files/read-regular-file.ts";
import { makeFolder } from "../../files/folder.ts";
import { fileAgeMs } from "../../lifecycle/wall-clock.ts";
import type { Pulled } from "../pull-decision.ts";
import { sha256Of, sha256OfFile } from "./sha256.ts";
import {
  emptyIndex,
  modulePath,
  modulePathPattern,
  readIndex,
  type StoreIndex,
  withoutModules,
  writeIndex,
} from "./store-index.ts";

/** A file that is a module, and its content's SHA-256. */
export interface NewModule {
  readonly file: string;
  readonly sha256: string;
}

/** Where a download is until it is a module; disposing removes it. */
export interface IncomingFolder extends AsyncDisposable {
  readonly path: string;
}

const indexName = "wasm-modules.json";
/** Far more than the modules of one agent need. */
const maxIndexBytes = 2 ** 24;
const incomingName = ".wasm-incoming";

/** The modules of one agent. */
export class ModuleStore {
  readonly #folder: string;
  #index: StoreIndex;
  /** Files whose content was compared, or written by this agent. */
  readonly #compared = new Set<string>();

  private constructor(folder: string, index: StoreIndex) {
    this.#folder = folder;
    this.#index = index;
  }

  /** Take up what is there. @param onDamage hears that the index cannot be read */
  static async open(folder: string, onDamage: (path: string) => void): Promise<ModuleStore> {
    const absolute = resolve(folder);
    const path = join(absolute, indexName);
    try {
      removeFromOwnFolder(absolute, [incomingName]);
    } catch {
      // A folder that cannot be used is an error of the first fetch.
    }
    let text: string | undefined;
    try {
      text = readOwnText(path, { maxBytes: maxIndexBytes });
    } catch {
      // There is none before the first module.
    }
    const index = text === undefined ? emptyIndex : readIndex(text);
    if (index === undefined) onDamage(path);
    return new ModuleStore(absolute, index ?? emptyIndex);
  }

  /** Modules that are known. */
  get entries(): number {
    return Object.keys(this.#index.modules).length;
  }

  /** What a URL last led to. */
  pulled(url: string): Pulled | undefined {
    return Object.hasOwn(this.#index.pulled, url) ? this.#index.pulled[url] : undefined;
  }

  /** Path of a module that is there and whole; it counts as used now. */
  async find(name: string, checksum: string): Promise<string | undefined> {
    const path = modulePath(sha256Of(name), checksum);
    const sha256 = this.#index.modules[path];
    if (sha256 === undefined) return undefined;
    try {
      const file = join(this.#folder, path);
      if (!this.#compared.has(path) && (await sha256OfFile(file)) !== sha256) {
        this.#forget(new Set([path]));
        return undefined;
      }
      this.#compared.add(path);
      await touch(file);
      return file;
    } catch {
      this.#forget(new Set([path]));
      return undefined;
    }
  }

  /** True for a path of a module of this store. */
  owns(path: string): boolean {
    return modulePathPattern.test(relative(this.#folder, path));
  }

  /** True when the file is there; it counts as used now. */
  async isThere(path: string): Promise<boolean> {
    try {
      await touch(path);
      return true;
    } catch {
      return false;
    }
  }

  /** A folder to download into, on the same file system. */
  incoming(): IncomingFolder {
    const path = join(this.#folder, incomingName, randomUUID());
    makeFolder(this.#folder, 0o755);
    makeOwnFolder(this.#folder);
    makeOwnFolder(path);
    return {
      path,
      [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
    };
  }

  /** Take a file in as a module; gives its path. */
  async add(name: string, checksum: string, { file, sha256 }: NewModule): Promise<string> {
    const path = modulePath(sha256Of(name), checksum);
    const target = join(this.#folder, path);
    makeFolder(dirname(target), 0o755);
    // Envoy may have another user.
    await chmod(file, 0o644);
    await rename(file, target);
    this.#compared.add(path);
    this.#write({ ...this.#index, modules: { ...this.#index.modules, [path]: sha256 } });
    return target;
  }

  /** A URL led to this module, for this version of a resource. */
  notePull(url: string, checksum: string, resource: string, resourceVersion: string): void {
    const known = this.pulled(url);
    if (known?.checksum === checksum && known.resourceVersions[resource] === resourceVersion) return;
    const versions = { ...known?.resourceVersions, [resource]: resourceVersion };
    this.#write({
      ...this.#index,
      pulled: { ...this.#index.pulled, [url]: { checksum, resourceVersions: versions } },
    });
  }

  /** Remove what was not used for so long and is not in use; gives the number of files. */
  async purge(expiryMs: number, inUse: ReadonlySet<string>): Promise<number> {
    const gone = new Set<string>();
    for (const path of await this.#files()) {
      const file = join(this.#folder, path);
      if (inUse.has(file)) continue;
      const { mtimeMs } = await stat(file);
      if (fileAgeMs(mtimeMs) <= expiryMs) {
        // A clock that was set back would keep it for as long as it was wrong.
        if (mtimeMs > Date.now() + expiryMs) await touch(file);
        continue;
      }
      await rm(file, { force: true });
      gone.add(path);
    }
    if (gone.size > 0) this.#forget(gone);
    return gone.size;
  }

  async #files(): Promise<readonly string[]> {
    try {
      const paths = await readdir(this.#folder, { recursive: true });
      return paths.filter((path) => modulePathPattern.test(path));
    } catch {
      // There is no folder before the first module.
      return [];
    }
  }

  #forget(paths: ReadonlySet<string>): void {
    for (const path of paths) this.#compared.delete(path);
    this.#write(withoutModules(this.#index, paths));
  }

  #write(index: StoreIndex): void {
    this.#index = index;
    writeFileAtomic(join(this.#folder, indexName), writeIndex(index));
  }
}

async function touch(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now);
}
