/**
 * Goes over lines of samples that have all the shape of one that was read: its name, and its labels in their order. Only
 * the labels' values and the numbers differ, as in most lines of most expositions.
 *
 * It is a few functions of WebAssembly (`sample-runs.wat`), which look at sixteen bytes in one step: JavaScript cannot.
 */
import { blockBytes } from "./line-block.ts";
import { sampleRunsModule } from "./sample-runs-module.ts";

/** Where things are in its memory, as `sample-runs.wat` has them. */
const place = { segments: 0, name: 528, texts: 1_024, entries: 16_384, lines: 65_536 } as const;

/** Blocks that sources are read into: as many as two scrapes at once have in most pods. */
const mostBlocks = 4;

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

/** One for all sources: it has one block of lines at a time, and of it the shape is kept for the next of the same source. */
export class SampleRuns {
  /** Memory for `LineBlock`s: what is read there it goes over where it lies. Until it is used it takes no room. */
  readonly blocks: readonly Buffer[];
  readonly #functions: Functions;
  readonly #bytes: Buffer;
  readonly #words: Int32Array;
  /** Where the lines begin, and how long they are. */
  #from: number = place.lines;
  #length = 0;
  /** Whose lines they are. */
  #owner: object | undefined;
  /** Of the shape's first part, what follows the name. */
  #afterName = { from: 0, length: 0 };
  #segments = 0;

  private constructor(functions: Functions) {
    this.#functions = functions;
    this.#bytes = Buffer.from(functions.memory.buffer);
    this.#words = new Int32Array(functions.memory.buffer, 0, place.lines / 4);
    this.blocks = Array.from({ length: mostBlocks }, (_, index) => {
      const from = place.lines + (index + 1) * blockBytes;
      return this.#bytes.subarray(from, from + blockBytes);
    });
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

  /** It has a shape. */
  get isShaped(): boolean {
    return this.#segments > 0;
  }

  /**
   * Take a block of whole lines, which are UTF-8. False for one that lies elsewhere and is too long to be copied.
   *
   * @param owner whose they are; another's shape is none of it
   */
  put(lines: Uint8Array, owner: object): boolean {
    if (owner !== this.#owner) this.#segments = 0;
    this.#owner = owner;
    const isHere = lines.buffer === this.#bytes.buffer;
    if (!isHere && lines.length > blockBytes - margin) return false;
    this.#from = isHere ? lines.byteOffset : place.lines;
    if (!isHere) this.#bytes.set(lines, this.#from);
    this.#length = lines.length;
    return true;
  }

  /** Newlines between `from` and `end`. */
  count(from: number, end: number): number {
    return this.#functions.count(this.#from + from, this.#from + end);
  }

  /** Take the shape of a line that was read: its parts, between which its values lie. @param nameLength of its name */
  shape(parts: readonly (readonly [begin: number, end: number])[], nameLength: number): void {
    this.#segments = 0;
    let text: number = place.texts;
    for (const [index, [begin, end]] of parts.entries()) {
      const next = text + Math.ceil((end - begin) / margin) * margin;
      if (next > place.entries) return;
      this.#words[index * 2] = text;
      this.#words[index * 2 + 1] = end - begin;
      this.#bytes.copyWithin(text, this.#from + begin, this.#from + end);
      text = next;
    }
    this.#segments = parts.length;
    this.#afterName = {
      from: place.texts + nameLength,
      length: (this.#words[1] ?? 0) - nameLength,
    };
  }

  /** Take the same shape with the name that lies between these. False where there is none, or no room. */
  rename(begin: number, end: number): boolean {
    const { from, length } = this.#afterName;
    if (this.#segments === 0 || end - begin + length > place.texts - margin - place.name) return false;
    this.#bytes.copyWithin(place.name, this.#from + begin, this.#from + end);
    this.#bytes.copyWithin(place.name + end - begin, from, from + length);
    this.#words[0] = place.name;
    this.#words[1] = end - begin + length;
    return true;
  }

  /** Where the first line begins that has not the shape, at `from` or later; `most` are gone over. */
  run(from: number, most: number): number {
    if (this.#segments === 0) return from;
    const { run } = this.#functions;
    const limit = Math.min(most, mostLines);
    return run(this.#from + from, this.#from + this.#length, this.#segments, limit) - this.#from;
  }

  /** Where the series of a line lies that `run` went over last. */
  series(index: number): readonly [begin: number, end: number] {
    const at = place.entries / 4 + index * 2;
    return [(this.#words[at] ?? 0) - this.#from, (this.#words[at + 1] ?? 0) - this.#from];
  }
}
