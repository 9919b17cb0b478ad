/**
 * The models that the configuration makes, one after the other: what leaves the model as it is is no new one.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { inTurns } from "../../lifecycle/in-turns.ts";
import { TaskGroup } from "../../lifecycle/task-group.ts";
import { type ReadonlyWatch, Watch } from "../../lifecycle/watch.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Configuration } from "../registry/registry.ts";
import { ModelBuilder } from "./build-model.ts";
import type { MeshSettings, Model } from "./model.ts";

/** A model and its number, which is part of each version. */
export interface PublishedModel {
  readonly number: number;
  readonly model: Model;
}

/** Follows the configuration until disposed. */
export class ConfiguredModels implements AsyncDisposable {
  readonly #builder: ModelBuilder;
  readonly #log: Logger;
  readonly #models: Watch<PublishedModel>;
  readonly #tasks = new TaskGroup();

  constructor(configuration: ReadonlyWatch<Configuration>, settings: MeshSettings, log: Logger) {
    this.#builder = new ModelBuilder(settings);
    this.#log = log;
    this.#models = new Watch({ number: 1, model: this.#builder.build(configuration.current.objects) });
    this.#tasks.spawn("follow-configuration", async (signal) => {
      for await (const current of configuration.changes(signal)) await this.#publishOrTell(current);
    });
  }

  get models(): ReadonlyWatch<PublishedModel> {
    return this.#models;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }

  /** What no reader of configuration has refused and no model can be made of costs the change, not all later ones. */
  async #publishOrTell(configuration: Configuration): Promise<void> {
    try {
      await this.#publish(configuration);
    } catch (error) {
      this.#log.error("configuration cannot be served, the last one stays", { reason: errorMessage(error) });
    }
  }

  async #publish({ objects }: Configuration): Promise<void> {
    const model = await inTurns(this.#builder.steps(objects));
    const { number, model: previous } = this.#models.current;
    if (model === previous) return;
    this.#models.set({ number: number + 1, model });
    this.#log.info("configuration loaded", { objects: objects.length, version: number + 1 });
  }
}
