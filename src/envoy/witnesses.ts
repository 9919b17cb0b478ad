/**
 * Those who see every Envoy come and go: the witness that says why one ended, and the flight recorder.
 */
import { join } from "node:path";
import { CgroupMemory } from "./exits/cgroup-memory.ts";
import { ExitWitness } from "./exits/exit-witness.ts";
import { FlightRecorder } from "./exits/flight-recorder.ts";
import { recorderName } from "./generation/layout.ts";
import { memoryRoom } from "./inspect/headroom.ts";
import type { GenerationObserver, SupervisorOptions } from "./supervision/options.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { type Task, TaskGroup } from "../lifecycle/task-group.ts";
import { restingMs, ticks } from "../lifecycle/tick.ts";
import type { Redactor } from "../telemetry/redactor.ts";
import type { Logger } from "../telemetry/log.ts";

/** Between a proof and the picture of a serving Envoy, in milliseconds: its start has better things to do. */
const pictureAfterMs = 2_000;

/** What the supervisor is given of them. */
export class Witnesses implements AsyncDisposable {
  readonly #memory = CgroupMemory.find();
  readonly #exits = ExitWitness.create(this.#memory);
  readonly #recorder: FlightRecorder;
  readonly #tasks = new TaskGroup();
  #snapshots = 0;

  constructor(configPath: string, log: Logger, redactor: Redactor) {
    this.#recorder = new FlightRecorder({
      folder: join(configPath, recorderName),
      log,
      secrets: () => redactor.values,
    });
  }

  readonly observer: GenerationObserver = {
    started: (generation) => {
      this.#exits.note();
      this.#recorder.started({
        number: generation.number,
        pid: generation.pid,
        startedAt: new Date(),
        binary: generation.launch.binary,
        args: generation.args,
        bootstrap: generation.bootstrap,
      });
    },
    proven: (generation) => {
      this.#inBackground(async (signal) => {
        await sleep(pictureAfterMs, signal, { isBackground: true });
        if (!signal.aborted) await this.#recorder.snapshot(generation.number, generation.admin, "live");
      });
    },
    ending: (generation, occasion) => {
      this.#inBackground(() => this.#recorder.snapshot(generation.number, generation.admin, occasion));
    },
    ended: (generation, diagnosis, lines) => {
      this.#recorder.ended(generation.number, diagnosis, lines);
    },
  };

  readonly explain: SupervisorOptions["explain"] = (generation, exit, { asked, wasLive }) =>
    this.#exits.diagnose({
      exit,
      asked,
      wasLive,
      lines: generation.lastLines,
      bootstrap: generation.bootstrap,
      startedAt: generation.startedAt,
    });

  /** Memory of an Envoy and room for another one, in bytes. */
  readonly memory: SupervisorOptions["memory"] = (envoyPid) => memoryRoom(this.#memory, envoyPid);

  /** Keep the account of OOM kills, so that somebody else's is never taken for Envoy's. */
  async followOomKills(signal: AbortSignal): Promise<void> {
    for await (const _ of ticks(restingMs, signal)) this.#exits.note();
  }

  /** @throws TaskFailedError when a snapshot has failed, which none does */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
    await this.#recorder[Symbol.asyncDispose]();
    if (this.#tasks.failure !== undefined) throw this.#tasks.failure;
  }

  /** An Envoy that does not answer is no reason to hold anything up. */
  #inBackground(snapshot: Task): void {
    this.#snapshots += 1;
    this.#tasks.spawn(`snapshot-${this.#snapshots}`, snapshot);
  }
}
