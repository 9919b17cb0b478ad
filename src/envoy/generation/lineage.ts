/**
 * A lineage: Envoys that hand their listeners on by hot restart, and the shared memory that joins them.
 *
 * Envoy leaves the segment behind, and a successor that dies before it serves leaves a flag in it that keeps every
 * later one from starting (envoyproxy/envoy#33446); both are put right here.
 */
import { readRegularText } from "../../files/read-regular-file.ts";
import { accessSync, constants, rmSync } from "node:fs";
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { RestartRole } from "./arguments.ts";
import { clearInitializingFlag, sharedMemoryFolder, sharedMemoryPath } from "./shared-memory.ts";

/** Why no Envoy of this machine can take part in a lineage; undefined when one can. */
export function hotRestartObstacle(): string | undefined {
  try {
    accessSync(sharedMemoryFolder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return `hot restart needs a writable ${sharedMemoryFolder}: ${errorMessage(error)}`;
  }
}

/** While it is so, nobody can take over. */
export const noBaseId = "the running Envoy has not chosen a base ID yet";

/** One chain of Envoys. */
export class Lineage {
  readonly #baseIdPath: string;
  #baseId: number | undefined;
  #epoch = 0;
  #members = 1;
  #obstacle: string | undefined;

  /** @param baseIdPath where the first Envoy writes the ID that it chose */
  constructor(baseIdPath: string) {
    this.#baseIdPath = baseIdPath;
  }

  /** The role of the first Envoy. */
  get first(): RestartRole {
    return { kind: "first", baseIdPath: this.#baseIdPath };
  }

  /** The ID, once the first Envoy has chosen it. */
  get baseId(): number | undefined {
    if (this.#baseId !== undefined) return this.#baseId;
    try {
      const text = readRegularText(this.#baseIdPath).trim();
      if (/^\d+$/.test(text)) this.#baseId = Number(text);
    } catch {
      // Not written yet.
    }
    return this.#baseId;
  }

  /** Why nobody can take over from this lineage's last Envoy; undefined when somebody can. */
  get obstacle(): string | undefined {
    if (this.#obstacle !== undefined) return this.#obstacle;
    return this.baseId === undefined ? noBaseId : undefined;
  }

  /** The role of the next Envoy: the epoch after the last one that served. Undefined while there is an obstacle. */
  successor(): RestartRole | undefined {
    const { baseId } = this;
    if (baseId === undefined || this.obstacle !== undefined) return undefined;
    return { kind: "successor", baseId, epoch: this.#epoch + 1 };
  }

  /** A successor is being started. */
  joined(): void {
    this.#members += 1;
  }

  /** A successor serves: the next one takes over from it. */
  advanced(): void {
    this.#epoch += 1;
  }

  /** A member is gone; with the last one the shared memory goes too. */
  left(): void {
    this.#members -= 1;
    const { baseId } = this;
    if (this.#members === 0 && baseId !== undefined) rmSync(sharedMemoryPath(baseId), { force: true });
  }

  /** A successor has died before it served: clear the mark that it left, or nobody else could take over. */
  heal(): void {
    const { baseId } = this;
    const failure =
      baseId === undefined ? "its base ID is unknown" : clearInitializingFlag(sharedMemoryPath(baseId));
    if (failure !== undefined) this.close(`a failed hot restart has left its mark: ${failure}`);
  }

  /** Nobody can take over any more. */
  close(reason: string): void {
    this.#obstacle ??= reason;
  }
}
