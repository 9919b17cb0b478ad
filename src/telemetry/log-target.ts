/**
 * Where log lines go: standard output, standard error and files, any number of them at once.
 */
import { constants, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { errorMessage } from "../lifecycle/error-message.ts";
import { LineWriter } from "./line-writer.ts";
import { StandardStreams } from "./standard-streams.ts";

/** Files that could not be opened, each with the reason. */
export class LogTargetError extends Error {
  override readonly name = "LogTargetError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("; "));
    this.problems = problems;
  }
}

/** A FIFO that nobody reads is an error instead of a wait. */
const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/** A line is written at once where that cannot block, so that the last one before an exit is not lost. */
export class LogTarget {
  readonly #files = new Map<string, LineWriter>();
  readonly #standard: readonly LineWriter[];
  /** Lines lost by writers that are no more. */
  readonly #lostBefore = new Map<string, number>();
  readonly #onLoss: (name: string, lines: number) => void;

  /**
   * @param targets `stdout`, `stderr` or paths; one that is named twice gets each line once
   * @param standard the streams of this process
   * @param onLoss told how many lines a file has lost, once it takes lines again
   * @throws LogTargetError
   */
  constructor(
    targets: readonly string[],
    standard: StandardStreams = new StandardStreams(),
    onLoss: (name: string, lines: number) => void = () => undefined,
  ) {
    this.#onLoss = onLoss;
    const names = [...new Set(targets)];
    const problems = names.flatMap((name) => (isStandard(name) ? [] : this.#open(name)));
    if (problems.length > 0) {
      for (const file of this.#files.values()) file.close();
      throw new LogTargetError(problems);
    }
    this.#standard = names.filter(isStandard).map((name) => standard.writer(name));
  }

  /** A line goes everywhere that takes it. */
  write(line: string): void {
    for (const writer of this.#standard) writer.write(line);
    for (const writer of this.#files.values()) writer.write(line);
  }

  /** Lines that each file has lost so far. */
  *lost(): Generator<readonly [name: string, lines: number], void, undefined> {
    for (const [path, writer] of this.#files) yield [path, writer.lost + (this.#lostBefore.get(path) ?? 0)];
  }

  /** Open the files again, after they were moved away; one that cannot be opened stays as it was. Returns why. */
  reopen(): readonly string[] {
    return [...this.#files].flatMap(([path, before]) => {
      const problems = this.#open(path);
      if (problems.length > 0) return problems;
      before.close();
      this.#lostBefore.set(path, (this.#lostBefore.get(path) ?? 0) + before.lost);
      return [];
    });
  }

  #open(path: string): readonly string[] {
    try {
      const descriptor = openSync(path, flags | linkFlag(path), 0o644);
      const onLoss = (lines: number): void => {
        this.#onLoss(path, lines);
      };
      this.#files.set(path, new LineWriter(descriptor, "direct", onLoss));
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

function isStandard(name: string): name is "stdout" | "stderr" {
  return name === "stdout" || name === "stderr";
}
