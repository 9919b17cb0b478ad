/**
 * A registry whose last state outlives the control plane: one that starts while the registry is gone serves what was known
 * last, and says so.
 *
 * One that is well is waited for: what changed while no control plane ran, such as a policy that denies, is not taken back.
 */
import { sleep } from "../../lifecycle/sleep.ts";
import { TaskGroup } from "../../lifecycle/task-group.ts";
import { type ReadonlyWatch, Watch } from "../../lifecycle/watch.ts";
import type { ConfigObject } from "../config/objects.ts";
import { type KeptFolder, keptPath, type KeptState, writeKept } from "./kept-state.ts";
import type { ConfigSource, SourceState } from "./source.ts";
import type { SourceHealth } from "./source-health.ts";

/** What is known beside the source. */
export interface Kept {
  readonly folder: KeptFolder;
  /** Where the registry is. */
  readonly server: string;
  /** As `readKept` has it. */
  readonly state: KeptState | undefined;
  /** How long a registry that says nothing at all is waited for, in milliseconds; 10 s unless told. */
  readonly patienceMs?: number;
}

/** Between two writes, in milliseconds: a registry that never comes to rest costs no more. */
const writeEveryMs = 5_000;

/** The source itself, with what was kept of it from its first failure until its first answer. */
export class KeptSource implements ConfigSource, AsyncDisposable {
  readonly name: string;
  readonly health: (() => SourceHealth) | undefined;
  readonly #states: Watch<SourceState>;
  readonly #kept: Kept;
  readonly #tasks = new TaskGroup();
  #isLate = false;

  constructor(source: ConfigSource, kept: Kept) {
    this.name = source.name;
    this.health = source.health;
    this.#kept = kept;
    this.#states = new Watch(this.#stateOf(source.states.current));
    const newest = new Watch<readonly ConfigObject[] | undefined>(undefined);
    let isKnown = false;
    this.#tasks.spawn("follow-source", async (signal) => {
      for await (const state of source.states.changes(signal)) {
        isKnown ||= state.kind === "read";
        this.#states.set(isKnown ? state : this.#stateOf(state));
        if (state.kind === "read") newest.set(state.objects);
      }
    });
    this.#tasks.spawn("lose-patience", async (signal) => {
      await sleep(kept.patienceMs ?? 10_000, signal);
      this.#isLate = true;
      if (!isKnown && !signal.aborted) this.#states.set(this.#stateOf(source.states.current));
    });
    this.#tasks.spawn("keep-source", async (signal) => {
      for await (const objects of newest.changes(signal)) {
        if (objects === undefined) continue;
        await writeKept(kept.folder, { name: this.name, server: kept.server }, objects);
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
    const { folder, server, state: kept } = this.#kept;
    const isWaitedFor = state.problems.length === 0 && !this.#isLate;
    if (state.kind === "read" || kept === undefined || isWaitedFor) return state;
    const path = keptPath(folder, { name: this.name, server });
    const told = {
      source: this.name,
      line: 0,
      path: "",
      message: `has not answered since this control plane started: what it had at ${kept.at} is served (${path})`,
    };
    return { kind: "read", objects: kept.objects, problems: [...state.problems, told] };
  }
}
