/**
 * The source of the mesh's settings where a file of their own has them (`--meshConfig`).
 */
import { objectsLimits } from "../../../document/limits.ts";
import { fileSignature } from "../../../files/file-signature.ts";
import { readRegularText } from "../../../files/read-regular-file.ts";
import { errorMessage } from "../../../lifecycle/error-message.ts";
import { TaskGroup } from "../../../lifecycle/task-group.ts";
import { type ReadonlyWatch, Watch } from "../../../lifecycle/watch.ts";
import { parseMeshConfigFile } from "../../config/parse-mesh-config.ts";
import type { ConfigSource, SourceState } from "../source.ts";
import type { FileSourceOptions } from "./file-source.ts";
import { followFolder } from "./follow-folder.ts";

/** The file, watched until disposed. */
export class MeshConfigSource implements ConfigSource, AsyncDisposable {
  readonly name = "mesh-config";
  readonly #states: Watch<SourceState>;
  readonly #tasks = new TaskGroup();

  constructor(path: string, { debounceMs, debounceMaxMs = 10_000 }: Omit<FileSourceOptions, "folder">) {
    this.#states = new Watch(readState(path));
    const signature = (): string => fileSignature(path);
    const followed = { path, signature, isSettled: () => true, debounceMs, debounceMaxMs };
    const read = (): Promise<void> => {
      this.#states.set(readState(path));
      return Promise.resolve();
    };
    this.#tasks.spawn("follow-mesh-config", (signal) => followFolder(followed, read, signal));
  }

  get states(): ReadonlyWatch<SourceState> {
    return this.#states;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }
}

function readState(path: string): SourceState {
  try {
    const content = readRegularText(path, { maxBytes: objectsLimits.maxBytes });
    const { objects, problems } = parseMeshConfigFile(path, content);
    return { kind: objects.length === 0 ? "broken" : "read", objects, problems };
  } catch (error) {
    const message = `cannot be read: ${errorMessage(error)}. Mend it, or name another file`;
    return { kind: "broken", problems: [{ source: path, line: 0, path: "", message }] };
  }
}
