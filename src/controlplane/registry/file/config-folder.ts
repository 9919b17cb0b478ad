/**
 * The configuration in a folder, read again and again: a file that has not changed is not parsed anew.
 */
import { objectsLimits } from "../../../document/limits.ts";
import { readRegularText } from "../../../files/read-regular-file.ts";
import { errorCode, errorMessage } from "../../../lifecycle/error-message.ts";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type MergedObjects, mergeFiles } from "./merge-files.ts";
import type { ConfigObject } from "../../config/objects.ts";
import { type ParsedFile, parseDocuments } from "../../config/parse-documents.ts";
import { type FoundFile, walkFolder } from "./walk-folder.ts";

/** Work in one turn of the event loop, in milliseconds: proxies and signals wait no longer. */
const turnMs = 20;

/** A file changed so shortly before it was read may change again without a new signature, in milliseconds. */
const racyMs = 100;

interface KnownFile {
  readonly signature: string;
  /** False for a file that may change once more without a new signature. */
  readonly isSettled: boolean;
  readonly parsed: ParsedFile;
}

/** Reads one folder. */
export class ConfigFolder {
  readonly #folder: string;
  #known: ReadonlyMap<string, KnownFile> = new Map();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What tells one state of the folder from another; its files are not read. */
  get signature(): string {
    const { files, problems } = walkFolder(this.#folder);
    return JSON.stringify([files.map(({ path, signature }) => [path, signature]), problems]);
  }

  /** False while a file was written so lately that it has to be read once more. */
  get isSettled(): boolean {
    return this.#known.values().every((file) => file.isSettled);
  }

  /**
   * Read what has changed; never rejects.
   *
   * @param served the objects that are served, which stay where a file cannot be used
   */
  async read(served: readonly ConfigObject[]): Promise<MergedObjects> {
    const { files, problems } = walkFolder(this.#folder);
    const known = new Map<string, KnownFile>();
    let turnEndsAt = performance.now() + turnMs;
    for (const file of files) {
      const before = this.#known.get(file.path);
      if (before?.signature === file.signature && before.isSettled) {
        known.set(file.path, before);
        continue;
      }
      known.set(file.path, readFile(file));
      if (performance.now() < turnEndsAt) continue;
      await nextTurn();
      turnEndsAt = performance.now() + turnMs;
    }
    this.#known = known;
    return mergeFiles(
      [...known.values()].map(({ parsed }) => parsed),
      problems,
      served,
    );
  }
}

function readFile({ path, signature, changedAtMs }: FoundFile): KnownFile {
  const isSettled = Math.abs(Date.now() - changedAtMs) >= racyMs;
  return { signature, isSettled, parsed: parseFile(path) };
}

function parseFile(source: string): ParsedFile {
  try {
    return parseDocuments(source, readRegularText(source, { maxBytes: objectsLimits.maxBytes }));
  } catch (error) {
    const nothing: ParsedFile = { source, objects: [], problems: [], refused: [], hidesObjects: false };
    // Gone since the folder was read.
    if (errorCode(error) === "ENOENT") return nothing;
    const message = `cannot be read: ${errorMessage(error)}. Mend or remove it`;
    return { ...nothing, problems: [{ source, line: 0, path: "", message }], hidesObjects: true };
  }
}
