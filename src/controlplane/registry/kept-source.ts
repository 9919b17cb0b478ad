/**
 * A registry whose last state outlives the control plane: one that starts while the registry is gone serves what was known
 * last, and says so.
 *
 * Secrets are not kept: keys are on no disk.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMapping } from "../../document/mapping.ts";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { makeOwnFolder } from "../../files/own-folder.ts";
import { errorCode, errorMessage } from "../../lifecycle/error-message.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import { TaskGroup } from "../../lifecycle/task-group.ts";
import { type ReadonlyWatch, Watch } from "../../lifecycle/watch.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { ConfigObject } from "../config/objects.ts";
import { kinds } from "../config/schema.ts";
import type { ConfigSource, SourceState } from "./source.ts";
import type { SourceHealth } from "./source-health.ts";

/** Where states are kept. */
export interface KeptFolder {
  /** Made when it is missing. */
  readonly folder: string;
  /** The release: what another one wrote is not read. */
  readonly version: string;
  readonly log: Logger;
}

/** What is in a file. */
interface KeptState {
  readonly version: string;
  readonly at: string;
  readonly objects: readonly ConfigObject[];
}

/** Between two writes, in milliseconds: a registry that never comes to rest costs no more. */
const writeEveryMs = 5_000;

/** The source itself, with what was kept of it until it has answered for the first time. */
export class KeptSource implements ConfigSource, AsyncDisposable {
  readonly name: string;
  readonly health: (() => SourceHealth) | undefined;
  readonly #states: Watch<SourceState>;
  readonly #kept: KeptState | undefined;
  readonly #path: string;
  readonly #folder: KeptFolder;
  readonly #tasks = new TaskGroup();

  constructor(source: ConfigSource, folder: KeptFolder) {
    this.name = source.name;
    this.health = source.health;
    this.#folder = folder;
    this.#path = join(folder.folder, `${source.name}.json`);
    this.#kept = source.states.current.kind === "read" ? undefined : this.#read();
    this.#states = new Watch(this.#stateOf(source.states.current));
    const newest = new Watch<readonly ConfigObject[] | undefined>(undefined);
    this.#tasks.spawn("follow-source", async (signal) => {
      let isKnown = false;
      for await (const state of source.states.changes(signal)) {
        isKnown ||= state.kind === "read";
        this.#states.set(isKnown ? state : this.#stateOf(state));
        if (state.kind === "read") newest.set(state.objects);
      }
    });
    this.#tasks.spawn("keep-source", async (signal) => {
      for await (const objects of newest.changes(signal)) {
        if (objects === undefined) continue;
        this.#write(objects);
        await sleep(writeEveryMs, signal);
      }
    });
  }

  get states(): ReadonlyWatch<SourceState> {
    return this.#states;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }

  #stateOf(state: SourceState): SourceState {
    if (state.kind === "read" || this.#kept === undefined) return state;
    const { at, objects } = this.#kept;
    const kept = {
      source: this.name,
      line: 0,
      path: "",
      message: `has not answered since this control plane started: what it had at ${at} is served (${this.#path})`,
    };
    return { kind: "read", objects, problems: [...state.problems, kept] };
  }

  #read(): KeptState | undefined {
    try {
      const state: unknown = JSON.parse(readFileSync(this.#path, "utf8"));
      if (!isKept(state) || state.version !== this.#folder.version) return undefined;
      return state;
    } catch (error) {
      if (errorCode(error) !== "ENOENT")
        this.#folder.log.warn("what was kept of a registry cannot be read", {
          registry: this.name,
          file: this.#path,
          reason: errorMessage(error),
        });
      return undefined;
    }
  }

  #write(objects: readonly ConfigObject[]): void {
    const state: KeptState = {
      version: this.#folder.version,
      at: new Date().toISOString(),
      objects: objects.filter(({ kind }) => kind !== "Secret"),
    };
    try {
      makeOwnFolder(this.#folder.folder);
      writeFileAtomic(this.#path, JSON.stringify(state), 0o600);
    } catch (error) {
      this.#folder.log.warn("a registry's state is not kept: a restart has to wait for the registry", {
        registry: this.name,
        file: this.#path,
        reason: errorMessage(error),
      });
    }
  }
}

function isKept(state: unknown): state is KeptState {
  return (
    isMapping(state) &&
    typeof state["version"] === "string" &&
    typeof state["at"] === "string" &&
    Array.isArray(state["objects"]) &&
    state["objects"].every(
      (object) =>
        isMapping(object) &&
        typeof object["kind"] === "string" &&
        Object.hasOwn(kinds, object["kind"]) &&
        typeof object["name"] === "string" &&
        typeof object["namespace"] === "string" &&
        isMapping(object["spec"]),
    )
  );
}
