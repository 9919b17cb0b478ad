/**
 * Which launch is good, which one was refused, and which one to start after a death.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { ExitDiagnosis } from "../exits/exit-diagnosis.ts";
import { loadLastGood, saveLastGood } from "./last-good.ts";
import type { PreparedLaunch } from "./launch.ts";

/** A launch that failed, and how. */
export interface RefusedLaunch {
  readonly fingerprint: string;
  readonly reason: string;
}

/** Remembers across generations; the last good bootstrap also across agents. */
export class LaunchMemory {
  readonly #log: Logger;
  #lastGood: PreparedLaunch | undefined;
  #refused: RefusedLaunch | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** The launch of the last Envoy that served for long enough. */
  get lastGood(): PreparedLaunch | undefined {
    return this.#lastGood;
  }

  /** The newest launch that failed, while no other has been accepted since. */
  get refused(): RefusedLaunch | undefined {
    return this.#refused;
  }

  accept(launch: PreparedLaunch): void {
    if (this.#refused?.fingerprint === launch.fingerprint) this.#refused = undefined;
    if (this.#lastGood?.fingerprint === launch.fingerprint) return;
    this.#lastGood = launch;
    try {
      saveLastGood(launch);
    } catch (error) {
      this.#log.warn("last good bootstrap was not kept on disk", { reason: errorMessage(error) });
    }
  }

  /** A launch has served for as long as a good one must; one that was refused all the same stays refused. */
  passed(launch: PreparedLaunch): void {
    if (this.#refused?.fingerprint !== launch.fingerprint) this.accept(launch);
  }

  refuse(launch: PreparedLaunch, reason: string): void {
    this.#refused = { fingerprint: launch.fingerprint, reason };
  }

  /** Forget what was refused: the running launch is what is wanted. */
  clearRefusal(): void {
    this.#refused = undefined;
  }

  /**
   * What to start after `launch` has died.
   *
   * A launch that has served is started again. One that never did, or not for long, gives way to the last good one:
   * that of this agent, or for a bootstrap that Envoy refuses, the one that an earlier agent has left.
   */
  afterDeath(launch: PreparedLaunch, diagnosis: ExitDiagnosis): PreparedLaunch {
    const isGood = this.#lastGood?.fingerprint === launch.fingerprint;
    if (isGood) return launch;
    const fallback =
      this.#lastGood ?? (diagnosis.reason === "configuration" ? this.#fromDisk(launch) : undefined);
    if (fallback === undefined || fallback.fingerprint === launch.fingerprint) return launch;
    this.refuse(launch, diagnosis.message);
    this.#log.error("going back to the last good bootstrap", { reason: diagnosis.message });
    return fallback;
  }

  #fromDisk(launch: PreparedLaunch): PreparedLaunch | undefined {
    try {
      return loadLastGood(launch.binary, launch.options);
    } catch (error) {
      this.#log.warn("last good bootstrap on disk cannot be used", { reason: errorMessage(error) });
      return undefined;
    }
  }
}
