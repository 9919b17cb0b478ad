/**
 * Standard output and standard error, written to without ever being held up by who reads them.
 *
 * They are shared with whoever started this process and with its children: to make them non-blocking would make theirs
 * so. A pipe or a terminal is opened once more for that; a socket, or a pipe of another user, is written to by a thread.
 */
import { constants, fstatSync, openSync, type Stats } from "node:fs";
import { type FlushLimits, LineWriter, type WriteMode } from "./line-writer.ts";

/** The names of the streams, as --log_target has them. */
export type StandardName = "stdout" | "stderr";

const descriptors: Readonly<Record<StandardName, number>> = { stdout: 1, stderr: 2 };

/** One of each in a process: two writers would cut each other's lines. */
export class StandardStreams {
  readonly #writers = new Map<StandardName, LineWriter>();
  #onLoss: (name: StandardName, lines: number) => void = () => undefined;

  /** The writer of a stream. */
  writer(name: StandardName): LineWriter {
    const known = this.#writers.get(name);
    if (known !== undefined) return known;
    const [descriptor, mode] = openAgain(descriptors[name]);
    const writer = new LineWriter(descriptor, mode, (lines) => {
      this.#onLoss(name, lines);
    });
    this.#writers.set(name, writer);
    return writer;
  }

  /** Who is told of lines that were lost, once lines are taken again. */
  onLoss(listener: (name: StandardName, lines: number) => void): void {
    this.#onLoss = listener;
  }

  /** Lines that each stream has lost so far, of those that were written to. */
  *lost(): Generator<readonly [name: StandardName, lines: number], void, undefined> {
    for (const [name, writer] of this.#writers) yield [name, writer.lost];
  }

  /** Resolves when everything was taken, or when its time is over. True when nothing waits. */
  async flush(limits: FlushLimits): Promise<boolean> {
    const done = await Promise.all([...this.#writers.values()].map((writer) => writer.flush(limits)));
    return done.every(Boolean);
  }
}

function openAgain(descriptor: number): readonly [descriptor: number, mode: WriteMode] {
  const stats = statsOf(descriptor);
  // A file has an end that is shared, and does not block.
  if (stats === undefined || !mayBlock(stats)) return [descriptor, "direct"];
  if (stats.isSocket()) return [descriptor, "threaded"];
  try {
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
    return [openSync(`/proc/self/fd/${descriptor}`, flags), "direct"];
  } catch {
    return [descriptor, "threaded"];
  }
}

function mayBlock(stats: Stats): boolean {
  return stats.isFIFO() || stats.isSocket() || stats.isCharacterDevice();
}

function statsOf(descriptor: number): Stats | undefined {
  try {
    return fstatSync(descriptor);
  } catch {
    return undefined;
  }
}
