/**
 * Follows the configuration folder: what is well becomes the new model, what is not is told and stays as it was last.
 */
import { TaskGroup } from "../../lifecycle/task-group.ts";
import { type ReadonlyWatch, Watch } from "../../lifecycle/watch.ts";
import type { Logger } from "../../telemetry/log.ts";
import { ConfigFolder } from "../config/config-folder.ts";
import { followFolder } from "../config/follow-folder.ts";
import type { MergedObjects } from "../config/merge-files.ts";
import type { ConfigObject } from "../config/objects.ts";
import { describeFileProblem, type FileProblem } from "../config/problem.ts";
import { buildModel } from "../model/build-model.ts";
import type { MeshSettings } from "../model/model.ts";
import type { PublishedModel } from "./served-models.ts";
import { ToldProblems } from "./told-problems.ts";

/** The folder's configuration cannot be served. */
export class ConfigFolderError extends Error {
  override readonly name = "ConfigFolderError";
  readonly problems: readonly FileProblem[];

  constructor(problems: readonly FileProblem[]) {
    super(problems.map(describeFileProblem).join("\n"));
    this.problems = problems;
  }
}

/** What to follow. */
export interface ConfigSourceOptions {
  readonly folder: string;
  readonly settings: MeshSettings;
  /** Quiet time after a change before it is read, in milliseconds. */
  readonly debounceMs: number;
}

/** State of the folder, for `/debug/configz`. */
export interface ConfigStatus {
  readonly loadedAt: string;
  readonly objects: readonly string[];
  /** Why some of the newest state is not served; empty when all of it is. */
  readonly problems: readonly FileProblem[];
}

/** The folder, watched until disposed. */
export class ConfigSource implements AsyncDisposable {
  readonly #settings: MeshSettings;
  readonly #log: Logger;
  readonly #folder: ConfigFolder;
  readonly #models: Watch<PublishedModel>;
  readonly #told: ToldProblems;
  readonly #tasks = new TaskGroup();
  #objects: readonly ConfigObject[];
  #status: ConfigStatus;

  private constructor(options: ConfigSourceOptions, log: Logger, folder: ConfigFolder, first: MergedObjects) {
    this.#settings = options.settings;
    this.#log = log;
    this.#folder = folder;
    this.#objects = first.objects;
    this.#models = new Watch({ number: 1, model: buildModel(first.objects, options.settings) });
    this.#status = statusOf(first);
    this.#told = new ToldProblems(log);
    this.#told.tell(first.problems);
    const followed = {
      path: options.folder,
      signature: () => folder.signature,
      isSettled: () => folder.isSettled,
      debounceMs: options.debounceMs,
    };
    this.#tasks.spawn("follow-folder", (signal) => followFolder(followed, () => this.#reload(), signal));
  }

  /**
   * A start serves what is well, as a change does: a restart must not cost the mesh what one bad object does not.
   *
   * @throws ConfigFolderError when there are problems and nothing else to serve
   */
  static async open(options: ConfigSourceOptions, log: Logger): Promise<ConfigSource> {
    const folder = new ConfigFolder(options.folder);
    const first = await folder.read([]);
    if (first.problems.length > 0 && first.objects.length === 0) throw new ConfigFolderError(first.problems);
    return new ConfigSource(options, log, folder, first);
  }

  get models(): ReadonlyWatch<PublishedModel> {
    return this.#models;
  }

  get status(): ConfigStatus {
    return this.#status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }

  async #reload(): Promise<void> {
    const merged = await this.#folder.read(this.#objects);
    this.#told.tell(merged.problems);
    const model = buildModel(merged.objects, this.#settings);
    this.#objects = merged.objects;
    this.#status = statusOf(merged);
    const { number, model: previous } = this.#models.current;
    if (JSON.stringify(model) === JSON.stringify(previous)) return;
    this.#models.set({ number: number + 1, model });
    this.#log.info("configuration loaded", { objects: merged.objects.length, version: number + 1 });
  }
}

function statusOf({ objects, problems }: MergedObjects): ConfigStatus {
  return {
    loadedAt: new Date().toISOString(),
    objects: objects.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`),
    problems,
  };
}
