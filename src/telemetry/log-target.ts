/**
 * Where log lines go: standard output, standard error and files, any number of them at once.
 */
import { closeSync, constants, openSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { errorMessage } from "../lifecycle/error-message.ts";

/** Files that could not be opened, each with the reason. */
export class LogTargetError extends Error {
  override readonly name = "LogTargetError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("; "));
    this.problems = problems;
  }
}

const standard: Readonly<Record<string, number>> = { stdout: 1, stderr: 2 };

/** A FIFO that nobody reads is an error instead of a wait. */
const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/** Lines are written without buffering, so that the last one before an exit is not lost. */
export class LogTarget {
  readonly #files = new Map<string, number>();
  readonly #descriptors: readonly number[];

  /**
   * @param targets `stdout`, `stderr` or paths; one that is named twice gets each line once
   * @throws LogTargetError
   */
  constructor(targets: readonly string[]) {
    const names = [...new Set(targets)];
    const problems = names.flatMap((name) => (Object.hasOwn(standard, name) ? [] : this.#open(name)));
    if (problems.length > 0) {
      for (const descriptor of this.#files.values()) closeSync(descriptor);
      throw new LogTargetError(problems);
    }
    this.#descriptors = names.flatMap((name) => standard[name] ?? []);
  }

  /** A line goes everywhere that takes it. */
  write(line: string): void {
    for (const descriptor of [...this.#descriptors, ...this.#files.values()]) {
      try {
        writeSync(descriptor, line);
      } catch {
        // A closed or full pipe, or a full disk, must not take the program down.
      }
    }
  }

  /** Open the files again, after they were moved away; one that cannot be opened stays as it was. Returns why. */
  reopen(): readonly string[] {
    return [...this.#files].flatMap(([path, before]) => {
      const problems = this.#open(path);
      if (problems.length === 0) closeSync(before);
      return problems;
    });
  }

  #open(path: string): readonly string[] {
    try {
      this.#files.set(path, openSync(path, flags | linkFlag(path), 0o644));
      return [];
    } catch (error) {
      return [`${path} cannot be opened: ${errorMessage(error)}`];
    }
  }
}

/** In a folder where others may lay one, a link could lead the lines into any file of this user. */
function linkFlag(path: string): number {
  return (statSync(dirname(path)).mode & 0o022) === 0 ? 0 : constants.O_NOFOLLOW;
}
