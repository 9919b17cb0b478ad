/**
 * One Envoy process with its own number, folder, bootstrap and admin socket.
 *
 * The folder is made before Envoy starts and removed when it is gone, so that nothing of an Envoy outlives it.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { type Child, type ChildExit, spawnChild } from "../../lifecycle/child.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import { prepareSocketPath } from "../../net/unix-socket.ts";
import { EnvoyAdmin } from "../admin.ts";
import { envoyArguments, type RestartRole } from "./arguments.ts";
import { flushMs } from "../drain/drain.ts";
import { bootstrapFor, type PreparedLaunch } from "./launch.ts";
import { Lineage } from "./lineage.ts";
import { recordProcess } from "./process-record.ts";

/** How a generation stands to the one before it. */
export type Descent =
  /** It can neither hand over nor take over. */
  | { readonly kind: "alone" }
  /** It can hand over to a later one. */
  | { readonly kind: "founder" }
  /** It takes over from the last of this lineage. */
  | { readonly kind: "successor"; readonly lineage: Lineage; readonly role: RestartRole };

/** What a generation is started from. */
export interface GenerationPlan {
  readonly number: number;
  readonly launch: PreparedLaunch;
  readonly descent: Descent;
  /** Gets each line of Envoy's log. */
  readonly onLogLine: (line: string) => void;
}

/** Lines of Envoy's log that are kept to explain its end. */
const keptLines = 200;

/** How long the last lines of a dead Envoy may take to arrive, in milliseconds. */
const lastLinesMs = 100;

/** A running Envoy. */
export class Generation {
  readonly number: number;
  readonly launch: PreparedLaunch;
  readonly admin: EnvoyAdmin;
  readonly startedAt: number;
  readonly folder: string;
  /** Envoy's command line, the binary left out. */
  readonly args: readonly string[];
  /** Undefined for an Envoy that cannot take part in a hot restart. */
  readonly lineage: Lineage | undefined;
  /** Resolves the moment the process is gone; never rejects. */
  readonly exited: Promise<ChildExit>;
  readonly #child: Child;
  readonly #lines: string[] = [];
  #isSignaled = false;

  private constructor(plan: GenerationPlan, folder: string, adminSocketPath: string, bootstrapPath: string) {
    this.number = plan.number;
    this.launch = plan.launch;
    this.folder = folder;
    this.admin = new EnvoyAdmin(adminSocketPath);
    this.startedAt = performance.now();
    const { lineage, role } = lineageOf(plan.descent, folder);
    this.lineage = lineage;
    this.args = envoyArguments(plan.launch.options, bootstrapPath, role);
    this.#child = spawnChild({
      file: plan.launch.binary,
      args: this.args,
      addEnv: plan.launch.options.environment,
      stdout: "inherit",
      stderr: (line) => {
        this.#lines.push(line);
        if (this.#lines.length > keptLines) this.#lines.shift();
        plan.onLogLine(line);
      },
    });
    const { pid } = this.#child;
    if (pid !== undefined) {
      const baseId = role.kind === "successor" ? { baseId: role.baseId } : {};
      recordProcess(folder, { pid, binary: plan.launch.binary, ...baseId });
    }
    this.exited = this.#child.exited.then((exit) => {
      lineage?.left();
      rmSync(folder, { recursive: true, force: true });
      return exit;
    });
  }

  /** @throws the system error when the folder or the bootstrap cannot be written */
  static start(plan: GenerationPlan): Generation {
    const { configPath } = plan.launch.options;
    const folder = join(configPath, "generations", String(plan.number));
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const adminSocketPath = join(folder, "admin.sock");
    prepareSocketPath(adminSocketPath);
    const bootstrapPath = join(folder, "envoy.json");
    writeFileAtomic(bootstrapPath, bootstrapFor(plan.launch, adminSocketPath));
    return new Generation(plan, folder, adminSocketPath, bootstrapPath);
  }

  /** The bootstrap as this Envoy got it. */
  get bootstrap(): string {
    return bootstrapFor(this.launch, this.admin.socketPath);
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

  /** The end of Envoy's log so far. */
  get lastLines(): readonly string[] {
    return this.#lines;
  }

  /** The end of a dead Envoy's log, what was still on its way included. */
  async finalLines(): Promise<readonly string[]> {
    const limit = new AbortController();
    await Promise.race([this.#child.closed, sleep(lastLinesMs, limit.signal)]);
    limit.abort();
    return this.#lines;
  }

  /** Let Envoy flush its logs and exit; kill it if that takes too long. */
  async stop(): Promise<void> {
    this.#isSignaled = true;
    this.#child.kill("SIGTERM");
    const limit = new AbortController();
    await Promise.race([this.exited, sleep(flushMs, limit.signal)]);
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
  folder: string,
): { readonly lineage: Lineage | undefined; readonly role: RestartRole } {
  switch (descent.kind) {
    case "alone":
      return { lineage: undefined, role: { kind: "alone" } };
    case "founder": {
      const lineage = new Lineage(join(folder, "base-id"));
      return { lineage, role: lineage.first };
    }
    case "successor":
      descent.lineage.joined();
      return { lineage: descent.lineage, role: descent.role };
  }
}
