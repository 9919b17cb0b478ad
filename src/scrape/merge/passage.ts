/** What passes of a block of lines: as few pieces as there can be, each of them a part of the block wherever it may be. */

/** Of one block. Its parts are told of from its begin to its end. */
export class Passage {
  readonly #block: Buffer;
  readonly #pieces: Uint8Array[] = [];
  #passed = 0;

  constructor(block: Buffer) {
    this.#block = block;
  }

  /** What lies between `from` and `end` does not pass. @param instead what does in its place */
  cut(from: number, end: number, instead: string = ""): void {
    if (from === end && instead === "") return;
    this.#pass(from);
    if (instead !== "") this.#pieces.push(Buffer.from(instead));
    this.#passed = end;
  }

  /** True when `text` is what lies there. */
  isAt(text: string, from: number, end: number): boolean {
    return text.length <= end - from && this.#block.toString("utf8", from, end) === text;
  }

  /** What passes, once all has been told. */
  pieces(): readonly Uint8Array[] {
    this.#pass(this.#block.length);
    return this.#pieces;
  }

  #pass(until: number): void {
    if (until > this.#passed) this.#pieces.push(this.#block.subarray(this.#passed, until));
  }
}
