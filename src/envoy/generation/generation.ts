/**
 * One Envoy process with its own number, folder, bootstrap and admin socket.
 *
 * The folder is made before Envoy starts and removed when it is gone, so that nothing of an Envoy outlives it.
 */
import { basename, dirname } from "node:path";
import { KeptOutput } from "../exits/kept-output.ts";
import { PrintedBootstrap } from "../exits/printed-bootstrap.ts";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { makeFolder } from "../../files/folder.ts";
import { makeOwnFolder, removeFromOwnFolder } from "../../files/own-folder.ts";
import { type Child, type ChildExit, spawnChild } from "../../process/child.ts";
import { readMainThreadStat } from "../../process/identity.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { SharedAnswer } from "../../lifecycle/shared-answer.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import { checkSocketPath } from "../../net/unix-socket.ts";
import type { Logger } from "../../telemetry/log.ts";
import { type AdminAnswer, AdminQuestions } from "../admin/question.ts";
import { EnvoyAdmin, type Stats } from "../admin/admin.ts";
import type { HeldClusters } from "../admin/held-clusters.ts";
import { readinessStats } from "../admin/readiness.ts";
import { refusedHandshakeStats } from "../admin/tls-failures.ts";
import { envoyArguments, type RestartRole } from "./arguments.ts";
import { bootstrapFor, type PreparedLaunch } from "./launch.ts";
import { type GenerationPaths, generationPaths, pathsIn } from "./layout.ts";
import { Lineage } from "./lineage.ts";
import { markVariable, newMark } from "./own-envoy.ts";
import { recordProcess } from "./process-record.ts";

/** How a generation stands to the one before it. */
export type Descent =
  /** It can neither hand over nor take over. */
  | { readonly kind: "alone" }
  /** It has restart epoch 0 of a lineage, and can have a hot restart child. */
  | { readonly kind: "first-epoch" }
  /** It takes over from the last of this lineage. */
  | { readonly kind: "successor"; readonly lineage: Lineage; readonly role: RestartRole };

/** What a generation is started from. */
export interface GenerationPlan {
  readonly number: number;
  readonly launch: PreparedLaunch;
  readonly descent: Descent;
  /** Gets each line of Envoy's log, but for most of a bootstrap that it prints. */
  readonly onLogLine: (line: string) => void;
  readonly log: Logger;
}

/** How long Envoy may take to flush its logs after SIGTERM, in milliseconds. */
const flushMs = 1_000;

/** How long the last lines of a dead Envoy may take to arrive, in milliseconds. */
const lastLinesMs = 100;

/** What readiness is decided from, and what a look for problems wants to know with it. */
const probedStats = `${readinessStats}|^${refusedHandshakeStats}$`;

/** Age of what a probe may be told of Envoy's state, in milliseconds. */
const readinessAgeMs = 100;

/** The same of what holds it back, which is a longer answer, in milliseconds. */
const heldAgeMs = 2_000;

/** A running Envoy. */
export class Generation {
  readonly number: number;
  readonly launch: PreparedLaunch;
  readonly admin: EnvoyAdmin;
  readonly questions: AdminQuestions;
  /** The statistics of readiness, for all who probe at once. */
  readonly readinessAnswer: SharedAnswer<AdminAnswer<Stats>>;
  /** Clusters that hold Envoy back, for all who want to know. */
  readonly heldAnswer: SharedAnswer<AdminAnswer<HeldClusters>>;
  readonly startedAt: number;
  readonly folder: string;
  /** Envoy's command line, the binary left out. */
  readonly args: readonly string[];
  /** Undefined for an Envoy that cannot take part in a hot restart. */
  readonly lineage: Lineage | undefined;
  /** Resolves the moment the process is gone; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Aborts at that moment. */
  readonly gone: AbortSignal;
  readonly #child: Child;
  readonly #log: Logger;
  readonly #mark = newMark();
  readonly #baseId: number | undefined;
  readonly #output = new KeptOutput();
  readonly #printed = new PrintedBootstrap();
  #isSignaled = false;
  #finalLines: Promise<void> | undefined;

  private constructor(plan: GenerationPlan, paths: GenerationPaths) {
    this.number = plan.number;
    this.launch = plan.launch;
    this.#log = plan.log;
    this.folder = paths.folder;
    this.admin = new EnvoyAdmin(paths.adminSocket);
    this.questions = new AdminQuestions(() => this.mainThreadTicks);
    this.readinessAnswer = this.#shared(() => this.admin.stats(probedStats), readinessAgeMs);
    this.heldAnswer = this.#shared(() => this.admin.heldClusters(), heldAgeMs);
    this.startedAt = performance.now();
    const { lineage, role } = lineageOf(plan.descent, paths.baseId);
    this.lineage = lineage;
    this.args = envoyArguments(plan.launch.options, paths.bootstrap, role);
    this.#child = spawnChild({
      file: plan.launch.binary,
      args: this.args,
      addEnv: { ...plan.launch.options.environment, [markVariable]: this.#mark },
      stdout: "inherit",
      stderr: (line) => {
        this.#output.add(line);
        if (this.#printed.passes(line)) plan.onLogLine(line);
      },
    });
    this.#baseId = role.kind === "successor" ? role.baseId : undefined;
    this.#record();
    const gone = new AbortController();
    this.gone = gone.signal;
    this.exited = this.#child.exited.then((exit) => {
      gone.abort();
      this.#cleanUp();
      return exit;
    });
  }

  /** @throws FolderNotOursError, or the system error when the folder or the bootstrap cannot be written */
  static start(plan: GenerationPlan): Generation {
    const { number, launch } = plan;
    const paths = generationPaths(launch.options.configPath, number);
    const generations = dirname(paths.folder);
    checkSocketPath(paths.adminSocket);
    makeOwnFolder(generations);
    removeFromOwnFolder(generations, [basename(paths.folder)]);
    makeFolder(paths.folder, 0o700);
    writeFileAtomic(paths.bootstrap, bootstrapFor(launch, paths.adminSocket));
    // From here on nothing may throw: Envoy runs.
    return new Generation(plan, paths);
  }

  /** Write the folder's files again: somebody has removed them. @throws as `start` does */
  restoreFolder(): void {
    makeFolder(this.folder, 0o700);
    writeFileAtomic(pathsIn(this.folder).bootstrap, this.bootstrap);
    this.#record();
  }

  /** Without its record an agent that starts after this one was killed does not find it: a lesser evil. */
  #record(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    const baseId = this.#baseId ?? this.lineage?.baseId;
    try {
      recordProcess(this.folder, {
        ...{ pid, mark: this.#mark, binary: this.launch.binary, fingerprint: this.launch.fingerprint },
        ...(baseId === undefined ? {} : { baseId }),
      });
    } catch (error) {
      this.#log.warn("record of Envoy's process was not written", {
        generation: this.number,
        reason: errorMessage(error),
      });
    }
  }

  /** A disk that takes nothing and a lack of descriptors must not keep the next Envoy from its start. */
  #cleanUp(): void {
    for (const remove of [
      () => this.lineage?.left(),
      () => {
        removeFromOwnFolder(dirname(this.folder), [basename(this.folder)]);
      },
    ]) {
      try {
        remove();
      } catch (error) {
        this.#log.warn("what a dead Envoy left was not removed", {
          generation: this.number,
          reason: errorMessage(error),
        });
      }
    }
  }

  #shared<T>(question: () => Promise<T>, maxAgeMs: number): SharedAnswer<AdminAnswer<T>> {
    return new SharedAnswer(() => this.questions.ask(question), maxAgeMs);
  }

  /** The bootstrap as this Envoy got it. */
  get bootstrap(): string {
    return bootstrapFor(this.launch, this.admin.socketPath);
  }

  /** CPU time of its main thread in clock ticks; undefined when it is gone. */
  get mainThreadTicks(): number | undefined {
    return this.pid === undefined ? undefined : readMainThreadStat(this.pid)?.cpuTicks;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The agent has sent it a signal that ends it. */
  get isSignaled(): boolean {
    return this.#isSignaled;
  }

  get ageMs(): number {
    return Math.round(performance.now() - this.startedAt);
  }

  /** What is kept of Envoy's log so far. */
  get lastLines(): readonly string[] {
    return this.#output.lines;
  }

  /**
   * Resolves once the last lines of a dead Envoy have arrived. Nothing is read after them: what Envoy has started, as a
   * wrapper may, must not keep the agent from its own end.
   */
  finalLines(): Promise<void> {
    this.#finalLines ??= this.#readFinalLines();
    return this.#finalLines;
  }

  async #readFinalLines(): Promise<void> {
    const limit = new AbortController();
    await Promise.race([this.#child.closed, sleep(lastLinesMs, limit.signal)]);
    limit.abort();
    this.#child.closeOutput();
    const { leftOut } = this.#printed;
    if (leftOut > 0) {
      this.#log.warn("Envoy printed its configuration, most of which the log leaves out", {
        generation: this.number,
        lines: leftOut,
      });
    }
  }

  /** Let Envoy flush its logs and exit; kill it if that takes too long, or when `hurry` aborts. */
  async stop(hurry?: AbortSignal): Promise<void> {
    this.#isSignaled = true;
    this.#child.kill("SIGTERM");
    const limit = new AbortController();
    const patience = AbortSignal.any([limit.signal, ...(hurry === undefined ? [] : [hurry])]);
    await Promise.race([this.exited, sleep(flushMs, patience)]);
    limit.abort();
    this.kill();
    await this.exited;
  }

  /** End Envoy at once. */
  kill(): void {
    this.#isSignaled = true;
    this.#child.kill("SIGKILL");
  }
}

function lineageOf(
  descent: Descent,
  baseIdPath: string,
): { readonly lineage: Lineage | undefined; readonly role: RestartRole } {
  switch (descent.kind) {
    case "alone":
      return { lineage: undefined, role: { kind: "alone" } };
    case "first-epoch": {
      const lineage = new Lineage(baseIdPath);
      return { lineage, role: lineage.first };
    }
    case "successor":
      descent.lineage.joined();
      return { lineage: descent.lineage, role: descent.role };
  }
}
