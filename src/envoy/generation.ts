/**
 * One Envoy process with its own number, folder, bootstrap and admin socket.
 *
 * The folder is made before Envoy starts and removed when it is gone, so that nothing of an Envoy outlives it.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../lifecycle/atomic-file.ts";
import { type Child, type ChildExit, spawnChild } from "../lifecycle/child.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { prepareSocketPath } from "../net/unix-socket.ts";
import { EnvoyAdmin } from "./admin.ts";
import { envoyArguments } from "./arguments.ts";
import { flushMs } from "./drain.ts";
import type { EnvoyOptions } from "./options.ts";
import { recordProcess } from "./process-record.ts";

/** What a generation is started from. */
export interface GenerationPlan {
  readonly number: number;
  readonly binary: string;
  readonly options: EnvoyOptions;
  /** The bootstrap for an admin socket at this path, as JSON text. */
  readonly renderBootstrap: (adminSocketPath: string) => string;
  /** Gets each line of Envoy's log. */
  readonly onLogLine: (line: string) => void;
}

/** Lines of Envoy's log that are kept to explain its end. */
const keptLines = 50;

/** A running Envoy. */
export class Generation {
  readonly number: number;
  readonly admin: EnvoyAdmin;
  readonly startedAt: number;
  readonly #child: Child;
  readonly #lines: string[] = [];

  private constructor(plan: GenerationPlan, folder: string, adminSocketPath: string, bootstrapPath: string) {
    this.number = plan.number;
    this.admin = new EnvoyAdmin(adminSocketPath);
    this.startedAt = performance.now();
    this.#child = spawnChild({
      file: plan.binary,
      args: envoyArguments(plan.options, bootstrapPath),
      stdout: "inherit",
      stderr: (line) => {
        this.#lines.push(line);
        if (this.#lines.length > keptLines) this.#lines.shift();
        plan.onLogLine(line);
      },
    });
    if (this.#child.pid !== undefined) recordProcess(folder, { pid: this.#child.pid, binary: plan.binary });
    this.exited = this.#child.exited.then((exit) => {
      rmSync(folder, { recursive: true, force: true });
      return exit;
    });
  }

  /** How the process ended; never rejects. Its folder is gone by then. */
  readonly exited: Promise<ChildExit>;

  /** @throws the system error when the folder or the bootstrap cannot be written */
  static start(plan: GenerationPlan): Generation {
    const folder = join(plan.options.configPath, "generations", String(plan.number));
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const adminSocketPath = join(folder, "admin.sock");
    prepareSocketPath(adminSocketPath);
    const bootstrapPath = join(folder, "envoy.json");
    const bootstrap = plan.renderBootstrap(adminSocketPath);
    writeFileAtomic(bootstrapPath, bootstrap);
    writeFileAtomic(join(plan.options.configPath, "envoy-rev.json"), bootstrap);
    return new Generation(plan, folder, adminSocketPath, bootstrapPath);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The end of Envoy's log. */
  get lastLines(): readonly string[] {
    return this.#lines;
  }

  /** Let Envoy flush its logs and exit; kill it if that takes too long. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#exitedWithin(flushMs);
    this.kill();
    await this.exited;
  }

  /** End Envoy at once. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #exitedWithin(ms: number): Promise<void> {
    const deadline = new AbortController();
    await Promise.race([this.exited, sleep(ms, deadline.signal)]);
    deadline.abort();
  }
}
