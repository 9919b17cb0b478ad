/**
 * The configuration in a folder, read again and again: a file that has not changed is not parsed anew.
 */
import { objectsLimits } from "../../../document/limits.ts";
import { readRegularText } from "../../../files/read-regular-file.ts";
import { errorCode, errorMessage } from "../../../lifecycle/error-message.ts";
import { inTurns } from "../../../lifecycle/in-turns.ts";
import { type MergedObjects, mergeFiles } from "./merge-files.ts";
import type { ConfigObject } from "../../config/objects.ts";
import { type ParsedFile, parseDocuments } from "../../config/parse-documents.ts";
import { type FolderWalk, type FoundFile, walkFolder } from "./walk-folder.ts";

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
  #looked: FolderWalk = { files: [], problems: [] };

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Look at the files without reading them. @returns what tells one state of the folder from another */
  async look(): Promise<string> {
    const walk = await inTurns(walkFolder(this.#folder));
    this.#looked = walk;
    return JSON.stringify([walk.files.map(({ path, signature }) => [path, signature]), walk.problems]);
  }

  /** False while a file was written so lately that it has to be read once more. */
  get isSettled(): boolean {
    return this.#known.values().every((file) => file.isSettled);
  }

  /**
   * Read what had changed when it was looked at last; never rejects.
   *
   * @param served the objects that are served, which stay where a file cannot be used
   */
  read(served: readonly ConfigObject[]): Promise<MergedObjects> {
    return inTurns(this.#read(served));
  }

  *#read(served: readonly ConfigObject[]): Generator<void, MergedObjects> {
    const { files, problems } = this.#looked;
    const known = new Map<string, KnownFile>();
    for (const file of files) {
      const before = this.#known.get(file.path);
      const isKnown = before?.signature === file.signature && before.isSettled;
      known.set(file.path, isKnown ? before : readFile(file));
      yield;
    }
    this.#known = known;
    const parsed = [...known.values()].map((file) => file.parsed);
    return yield* mergeFiles(parsed, problems, served);
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
