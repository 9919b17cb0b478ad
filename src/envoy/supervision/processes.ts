/**
 * The Envoys of this agent as processes, by their numbers.
 */
import { join } from "node:path";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { TaskGroup } from "../../lifecycle/task-group.ts";
import type { ChildExit } from "../../process/child.ts";
import type { Logger } from "../../telemetry/log.ts";
import { type Descent, Generation } from "../generation/generation.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import { activeBootstrapName, generationsFolder } from "../generation/layout.ts";
import { hotRestartObstacle } from "../generation/lineage.ts";
import { sweepGenerations } from "../generation/sweep.ts";
import type { ListenerFacts } from "../admin/listeners.ts";
import type { SwapModeRequest } from "../inspect/swap-mode.ts";
import type { Effect } from "./effect.ts";

/** Whom it tells, and how the first of a lineage is started. */
export interface ProcessesOptions {
  /** Waits for the end of each. */
  readonly tasks: TaskGroup;
  readonly swapMode: SwapModeRequest;
  readonly log: Logger;
  /** Gets each line of Envoy's own log. */
  readonly onLogLine: (line: string) => void;
  /** Called in the same turn in which the end of a process is noticed. */
  readonly onExited: (generation: Generation, exit: ChildExit) => void;
}

/** Starts generations, and knows them until they are forgotten. */
export class Processes {
  readonly #options: ProcessesOptions;
  readonly #generations = new Map<number, Generation>();
  readonly #living = new Set<Generation>();
  readonly #listeners = new Map<number, readonly ListenerFacts[]>();

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  get(number: number): Generation | undefined {
    return this.#generations.get(number);
  }

  lives(number: number): boolean {
    return [...this.#living].some((generation) => generation.number === number);
  }

  /** Pids of the living ones. */
  pids(): readonly number[] {
    return [...this.#living].flatMap(({ pid }) => pid ?? []);
  }

  /** Its listeners as they were when it was proven; undefined until then. */
  listeners(number: number): readonly ListenerFacts[] | undefined {
    return this.#listeners.get(number);
  }

  /** @throws the system error when its files cannot be written, or why there can be no hot restart */
  start({ number, launch, descent }: Extract<Effect, { kind: "start" }>): Generation {
    this.#sweep(launch);
    const { tasks, log, onLogLine, onExited } = this.#options;
    const generation = Generation.start({ number, launch, descent: this.#descent(descent), onLogLine, log });
    this.#generations.set(number, generation);
    this.#living.add(generation);
    tasks.spawn(`exit-${number}`, async () => {
      const exit = await generation.exited;
      this.#living.delete(generation);
      onExited(generation, exit);
    });
    return generation;
  }

  #descent(descent: Extract<Effect, { kind: "start" }>["descent"]): Descent {
    if (descent.kind === "first" || descent.mode === "overlap") return this.#firstEpoch();
    const lineage = this.get(descent.from)?.lineage;
    const role = lineage?.successor();
    if (lineage === undefined || role === undefined) throw new Error(lineage?.obstacle ?? "no hot restart");
    return { kind: "successor", lineage, role };
  }

  /** Without a parent, but able to have a child wherever a hot restart may be wanted. */
  #firstEpoch(): Descent {
    const { swapMode } = this.#options;
    const mayHandOver = swapMode === "hot" || swapMode === "auto";
    return mayHandOver && hotRestartObstacle() === undefined ? { kind: "first-epoch" } : { kind: "alone" };
  }

  /** What could not be removed at the end of an Envoy takes room that the next one needs. */
  #sweep({ options }: PreparedLaunch): void {
    const living = new Set([...this.#living].map(({ number }) => String(number)));
    try {
      sweepGenerations(generationsFolder(options.configPath), living);
    } catch {
      // The start says what is wrong with the folder.
    }
  }

  /** Copy its bootstrap to where the active one is looked for. */
  showBootstrap(number: number): void {
    const generation = this.get(number);
    if (generation === undefined) return;
    const path = join(generation.launch.options.configPath, activeBootstrapName);
    try {
      writeFileAtomic(path, generation.bootstrap);
    } catch (error) {
      this.#options.log.warn("copy of the active bootstrap was not written", {
        path,
        reason: errorMessage(error),
      });
    }
  }

  /** Remember its listeners, for the time when it cannot be asked any more. */
  async learnListeners(number: number): Promise<void> {
    try {
      const listeners = await this.get(number)?.admin.listeners();
      if (listeners !== undefined && this.#generations.has(number)) this.#listeners.set(number, listeners);
    } catch {
      // Nothing is lost while it answers: it is asked again before each swap.
    }
  }

  /** It is dead, and nobody asks for it any more. */
  forget(number: number): void {
    this.#generations.delete(number);
    this.#listeners.delete(number);
  }

  /** End everything that is left, at once. Resolves when it is gone. */
  async clear(): Promise<void> {
    await Promise.all(
      [...this.#generations.values()].map(async (generation) => {
        if (this.#living.has(generation)) generation.kill();
        await generation.exited;
        await generation.finalLines();
      }),
    );
  }
}
