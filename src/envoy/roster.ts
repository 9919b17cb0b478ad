/**
 * The generations that live: who is active, who is about to be, and who is on the way out.
 */
import { writeFileAtomic } from "../files/atomic-file.ts";
import type { ChildExit } from "../process/child.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { join } from "node:path";
import type { Logger } from "../telemetry/log.ts";
import { type Descent, Generation, generationsName } from "./generation/generation.ts";
import { sweepGenerations } from "./generation/sweep.ts";
import type { PreparedLaunch } from "./generation/launch.ts";
import { hotRestartObstacle } from "./generation/lineage.ts";
import { retire, type Retirement } from "./drain/retire.ts";
import { Seat } from "./seat.ts";
import type { SwapRequest } from "./swap/swap-requests.ts";
import type { SwapModeRequest } from "./swap/swap-mode.ts";

/** Whom the roster tells. */
export interface RosterOptions {
  readonly swapMode: SwapModeRequest;
  readonly log: Logger;
  readonly onLogLine: (line: string) => void;
  readonly onStarted: (generation: Generation) => void;
  /** Called in the same turn in which the end of a process is noticed. */
  readonly onExited: (seat: Seat, exit: ChildExit, wasActive: boolean) => void;
  readonly onRetired: () => void;
}

/** The file that shows the active bootstrap, where Istio's users look for it. */
const activeBootstrapName = "envoy-rev.json";

/** Starts generations and counts them. */
export class Roster {
  readonly #options: RosterOptions;
  readonly #living = new Set<Seat>();
  readonly #retiring = new Set<Seat>();
  #number = 0;
  #active: Seat | undefined;

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  /** The generation that serves or is to serve; undefined between a death and the next start. */
  get active(): Seat | undefined {
    return this.#active;
  }

  get retiring(): ReadonlySet<Seat> {
    return this.#retiring;
  }

  /** Number of the newest generation. */
  get newest(): number {
    return this.#number;
  }

  /** Pids of the living Envoys. */
  pids(): readonly number[] {
    return [...this.#living].flatMap(({ generation }) => generation.pid ?? []);
  }

  /** How a generation without a predecessor is started: able to hand over wherever a hot restart may be wanted. */
  founder(): Descent {
    const { swapMode } = this.#options;
    const mayHandOver = swapMode === "hot" || swapMode === "auto";
    return mayHandOver && hotRestartObstacle() === undefined ? { kind: "founder" } : { kind: "alone" };
  }

  /** Start a generation that is nothing yet. @throws the system error when its files cannot be written */
  start(launch: PreparedLaunch, descent: Descent, trial?: SwapRequest): Seat {
    this.#number += 1;
    this.#sweep(launch);
    const generation = Generation.start({
      number: this.#number,
      launch,
      descent,
      onLogLine: this.#options.onLogLine,
      log: this.#options.log,
    });
    const seat = new Seat(generation, trial);
    this.#living.add(seat);
    void generation.exited.then((exit) => {
      this.#living.delete(seat);
      const wasActive = this.#active === seat;
      if (wasActive) this.#active = undefined;
      this.#options.onExited(seat, exit, wasActive);
    });
    this.#options.onStarted(generation);
    return seat;
  }

  /** What could not be removed at the end of an Envoy takes room that the next one needs. */
  #sweep({ options }: PreparedLaunch): void {
    const living = new Set([...this.#living].map(({ generation }) => String(generation.number)));
    try {
      sweepGenerations(join(options.configPath, generationsName), living);
    } catch {
      // The start says what is wrong with the folder.
    }
  }

  /** From now on this one serves. */
  activate(seat: Seat): void {
    this.#active = seat;
    const { generation } = seat;
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

  /** Nobody serves. */
  vacate(): void {
    this.#active = undefined;
  }

  /** Bring a generation to its end beside the others. */
  retire(seat: Seat, how: Retirement, successor?: Seat): void {
    seat.asked ??= how === "hung" ? "hung" : "handover";
    this.#retiring.add(seat);
    const hasSuccessor = (): boolean => successor !== undefined && this.#living.has(successor);
    void retire(seat.generation, how, this.#options.log, hasSuccessor).then(() => {
      this.#retiring.delete(seat);
      this.#options.onRetired();
    });
  }

  /** End everything that is left, at once. Resolves when it is gone. */
  async clear(): Promise<void> {
    await Promise.all(
      [...this.#living].map(async (seat) => {
        seat.asked ??= "stop";
        seat.generation.kill();
        await seat.generation.exited;
      }),
    );
  }
}
