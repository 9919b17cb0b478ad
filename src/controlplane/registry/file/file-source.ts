/**
 * The source that most meshes begin with: YAML files in a folder.
 */
import { TaskGroup } from "../../../lifecycle/task-group.ts";
import { type ReadonlyWatch, Watch } from "../../../lifecycle/watch.ts";
import type { ConfigObject } from "../../config/objects.ts";
import type { ConfigSource, SourceState } from "../source.ts";
import { ConfigFolder } from "./config-folder.ts";
import { followFolder } from "./follow-folder.ts";
import type { MergedObjects } from "./merge-files.ts";

/** What to follow. */
export interface FileSourceOptions {
  readonly folder: string;
  /** Quiet time after a change before it is read, in milliseconds. */
  readonly debounceMs: number;
  /** Longest that changes may hold each other up, in milliseconds; 10 s unless told, as in Istio. */
  readonly debounceMaxMs?: number | undefined;
}

/** The folder, watched until disposed. */
export class FileSource implements ConfigSource, AsyncDisposable {
  readonly name = "files";
  readonly #folder: ConfigFolder;
  readonly #states: Watch<SourceState>;
  /** What is served of the folder: it stays where a file cannot be used. */
  #served: readonly ConfigObject[];
  readonly #tasks = new TaskGroup();

  private constructor(
    { folder: path, debounceMs, debounceMaxMs = 10_000 }: FileSourceOptions,
    folder: ConfigFolder,
    first: MergedObjects,
  ) {
    this.#folder = folder;
    this.#served = first.objects;
    this.#states = new Watch(stateOf(first));
    const followed = {
      path,
      signature: () => folder.look(),
      isSettled: () => folder.isSettled,
      debounceMs,
      debounceMaxMs,
    };
    this.#tasks.spawn("follow-folder", (signal) => followFolder(followed, () => this.#read(), signal));
  }

  /** Resolves when the folder has been read for the first time, whatever is wrong with it. */
  static async open(options: FileSourceOptions): Promise<FileSource> {
    const folder = new ConfigFolder(options.folder);
    await folder.look();
    return new FileSource(options, folder, await folder.read([]));
  }

  get states(): ReadonlyWatch<SourceState> {
    return this.#states;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }

  async #read(): Promise<void> {
    const merged = await this.#folder.read(this.#served);
    this.#served = merged.objects;
    this.#states.set(stateOf(merged));
  }
}

function stateOf({ objects, problems }: MergedObjects): SourceState {
  return { kind: "read", objects, problems };
}
