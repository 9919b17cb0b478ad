/** Cuts what comes in pieces into whole lines, without copying more than the lines that two pieces share. */

/** Longest line that is taken, in bytes. */
const longestLine = 65_536;

const newline = 10;

/** For one source. */
export class LineCutter {
  #begun: Buffer = Buffer.alloc(0);
  #isSkipping = false;
  /** Lines that were too long. */
  skipped = 0;

  /** Whole lines: blocks of them that end with a newline. */
  add(chunk: Buffer): readonly Buffer[] {
    if (chunk.length <= longestLine) return this.#add(chunk);
    const blocks: Buffer[] = [];
    for (let from = 0; from < chunk.length; from += longestLine)
      blocks.push(...this.#add(chunk.subarray(from, from + longestLine)));
    return blocks;
  }

  #add(chunk: Buffer): readonly Buffer[] {
    const first = chunk.indexOf(newline);
    if (first < 0) {
      this.#begin(chunk);
      return [];
    }
    const blocks: Buffer[] = [];
    let from = 0;
    if (this.#isSkipping || this.#begun.length > 0) {
      from = first + 1;
      if (this.#isSkipping) this.#isSkipping = false;
      else this.#push(blocks, Buffer.concat([this.#begun, chunk.subarray(0, from)]));
      this.#begun = Buffer.alloc(0);
    }
    const last = chunk.lastIndexOf(newline) + 1;
    if (last > from) blocks.push(chunk.subarray(from, last));
    this.#begin(chunk.subarray(last));
    return blocks;
  }

  /** The line that has no end yet, with one. */
  rest(): Buffer | undefined {
    return this.#isSkipping || this.#begun.length === 0
      ? undefined
      : Buffer.concat([this.#begun, Buffer.from("\n")]);
  }

  #push(blocks: Buffer[], line: Buffer): void {
    if (line.length <= longestLine) blocks.push(line);
    else this.skipped += 1;
  }

  #begin(part: Buffer): void {
    if (this.#isSkipping || part.length === 0) return;
    if (this.#begun.length + part.length <= longestLine) {
      // A copy: the rest of the chunk is not to be kept for it.
      this.#begun = Buffer.concat([this.#begun, part]);
      return;
    }
    this.#isSkipping = true;
    this.skipped += 1;
    this.#begun = Buffer.alloc(0);
  }
}
