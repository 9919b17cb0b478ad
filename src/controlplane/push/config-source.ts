/**
 * Follows the configuration folder: a valid state becomes the new model, an invalid one is reported and the last good
 * one stays.
 */
import { type FileWatch, watchFiles } from "../../files/file-watch.ts";
import { type ReadonlyWatch, Watch } from "../../lifecycle/watch.ts";
import type { Logger } from "../../telemetry/log.ts";
import { loadConfigFolder } from "../config/load-folder.ts";
import { describeFileProblem, type FileProblem } from "../config/problem.ts";
import { buildModel } from "../model/build-model.ts";
import type { MeshSettings } from "../model/model.ts";
import type { PublishedModel } from "./served-models.ts";

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
  /** Why the newest state is not served; empty when it is. */
  readonly problems: readonly FileProblem[];
}

/** The folder, watched until disposed. */
export class ConfigSource implements AsyncDisposable {
  readonly #options: ConfigSourceOptions;
  readonly #log: Logger;
  readonly #models: Watch<PublishedModel>;
  readonly #files: FileWatch;
  #status: ConfigStatus;
  #loading = Promise.resolve();

  private constructor(
    options: ConfigSourceOptions,
    log: Logger,
    models: Watch<PublishedModel>,
    status: ConfigStatus,
  ) {
    this.#options = options;
    this.#log = log;
    this.#models = models;
    this.#status = status;
    this.#files = watchFiles([options.folder], options.debounceMs, () => {
      // One after the other: a slow read must not overtake a newer one.
      this.#loading = this.#loading.then(() => this.#reload());
    });
  }

  /** @throws ConfigFolderError when the folder's first state is invalid */
  static async open(options: ConfigSourceOptions, log: Logger): Promise<ConfigSource> {
    const loaded = await loadConfigFolder(options.folder);
    if (loaded.kind === "invalid") throw new ConfigFolderError(loaded.problems);
    const models = new Watch({ number: 1, model: buildModel(loaded.objects, options.settings) });
    const source = new ConfigSource(options, log, models, status(loaded.objects));
    await source.#files.ready;
    // What changed between the first read and the watch would be missed otherwise.
    await source.#reload();
    return source;
  }

  get models(): ReadonlyWatch<PublishedModel> {
    return this.#models;
  }

  get status(): ConfigStatus {
    return this.#status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files[Symbol.asyncDispose]();
    await this.#loading;
  }

  async #reload(): Promise<void> {
    const { folder, settings } = this.#options;
    const loaded = await loadConfigFolder(folder);
    if (loaded.kind === "invalid") {
      this.#status = { ...this.#status, problems: loaded.problems };
      for (const { source, line, path, message } of loaded.problems) {
        this.#log.error("configuration refused, the last good one stays", {
          file: source,
          line,
          field: path,
          reason: message,
        });
      }
      return;
    }
    const model = buildModel(loaded.objects, settings);
    this.#status = status(loaded.objects);
    const { number, model: previous } = this.#models.current;
    if (JSON.stringify(model) === JSON.stringify(previous)) return;
    this.#models.set({ number: number + 1, model });
    this.#log.info("configuration loaded", { objects: loaded.objects.length, version: number + 1 });
  }
}

function status(
  objects: readonly { readonly kind: string; readonly namespace: string; readonly name: string }[],
): ConfigStatus {
  return {
    loadedAt: new Date().toISOString(),
    objects: objects.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`),
    problems: [],
  };
}
