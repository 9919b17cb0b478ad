/**
 * Goes over lines of samples that have all the shape of one that was read: its name, and its labels in their order. Only
 * the labels' values and the numbers differ, as in most lines of most expositions.
 *
 * It is a few functions of WebAssembly (`sample-runs.wat`), which look at sixteen bytes in one step: JavaScript cannot.
 */
import { sampleRunsModule } from "./sample-runs-module.ts";

/** Where things are in its memory, as `sample-runs.wat` has them. */
const place = { segments: 0, texts: 1_024, entries: 16_384, lines: 65_536 } as const;

/** Lines that it goes over at once: those that its table has room for. */
const mostLines = 4_096;

/** Bytes of a step: what is looked at may go as far beyond the lines. */
const margin = 16;

interface Functions {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly lines: { readonly value: number };
  readonly count: (from: number, end: number) => number;
  readonly run: (from: number, end: number, segments: number, most: number) => number;
}

/** The part of the engine's own object that is used here; Node.js' types have none of it. */
const { WebAssembly: assembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object) => { readonly exports: unknown };
  };
};

/** One for all sources: it has one block of lines at a time, and nothing of it is kept for the next. */
export class SampleRuns {
  readonly #functions: Functions;
  readonly #bytes: Buffer;
  readonly #words: Int32Array;
  #length = 0;
  #segments = 0;

  private constructor(functions: Functions) {
    this.#functions = functions;
    this.#bytes = Buffer.from(functions.memory.buffer);
    this.#words = new Int32Array(functions.memory.buffer, 0, place.lines / 4);
  }

  /** Undefined where there is no room for its memory: V8 takes 10 GiB of addresses for it, which a limit may forbid. */
  static open(): SampleRuns | undefined {
    try {
      const module = new assembly.Module(Buffer.from(sampleRunsModule, "base64"));
      return new SampleRuns(new assembly.Instance(module).exports as Functions);
    } catch {
      return undefined;
    }
  }

  /** Lines that `run` went over last. */
  get lines(): number {
    return this.#functions.lines.value;
  }

  /** Take a block of whole lines, which are UTF-8. False for one that is too long. */
  put(lines: Uint8Array): boolean {
    this.#segments = 0;
    if (lines.length > this.#bytes.length - place.lines - margin) return false;
    this.#bytes.set(lines, place.lines);
    this.#length = lines.length;
    return true;
  }

  /** Newlines between `from` and `end`. */
  count(from: number, end: number): number {
    return this.#functions.count(place.lines + from, place.lines + end);
  }

  /** Take the shape of a line that was read: its parts, between which its values lie. */
  shape(parts: readonly (readonly [begin: number, end: number])[]): void {
    this.#segments = 0;
    let text: number = place.texts;
    for (const [index, [begin, end]] of parts.entries()) {
      const next = text + Math.ceil((end - begin) / margin) * margin;
      if (next > place.entries) return;
      this.#words[index * 2] = text;
      this.#words[index * 2 + 1] = end - begin;
      this.#bytes.copyWithin(text, place.lines + begin, place.lines + end);
      text = next;
    }
    this.#segments = parts.length;
  }

  /** Where the first line begins that has not the shape, at `from` or later; `most` are gone over. */
  run(from: number, most: number): number {
    if (this.#segments === 0) return from;
    const { run } = this.#functions;
    const limit = Math.min(most, mostLines);
    return run(place.lines + from, place.lines + this.#length, this.#segments, limit) - place.lines;
  }

  /** Where the series of a line lies that `run` went over last. */
  series(index: number): readonly [begin: number, end: number] {
    const at = place.entries / 4 + index * 2;
    return [(this.#words[at] ?? 0) - place.lines, (this.#words[at + 1] ?? 0) - place.lines];
  }
}
