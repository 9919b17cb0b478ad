/**
 * Memory that a source is read into, and that what was read is cut into whole lines in: the begin of a line whose end has
 * not come is moved in front of what is read next, and nothing else is copied.
 */

/** Longest line that is taken, in bytes. */
const longestLine = 65_536;

/** Bytes that are read in one go: what each step of a piece's way costs does not depend on its length. */
const readBytes = 524_288;

/** Memory that a block takes. */
export const blockBytes: number = longestLine + readBytes;

/** As often there is a byte of each line that is too long. */
const stride = longestLine / 2;

const newline = 10;

/** For one source, whose reader holds it: what is to be done with it once its memory is another's throws. */
export class LineBlock {
  #lent: Buffer | undefined;
  /** What is to be read into. */
  readonly landing: Buffer;
  /** Bytes of the line that has no end yet. They lie in front of the landing. */
  #begun = 0;
  /** The same, where it was read to. */
  #held: Buffer;
  #isSkipping = false;
  /** Lines that were too long. */
  skipped = 0;

  /** @param memory `blockBytes` that nobody else uses */
  constructor(memory: Buffer = Buffer.allocUnsafeSlow(blockBytes)) {
    this.#lent = memory;
    this.landing = memory.subarray(longestLine);
    this.#held = memory.subarray(0, 0);
  }

  /** Its memory, for another source: nothing is read into it any more. */
  surrender(): Buffer {
    const memory = this.#memory;
    this.#lent = undefined;
    return memory;
  }

  /** Whole lines: blocks of them that end with a newline, and lie here until `release`. @param read a part of `landing` */
  add(read: Buffer): readonly Buffer[] {
    const at = read.byteOffset - this.#memory.byteOffset;
    const end = at + read.length;
    if (at > longestLine) this.#memory.copyWithin(at - this.#begun, longestLine - this.#begun, longestLine);
    let from = at - this.#begun;
    const last = this.#memory.lastIndexOf(newline, end - 1);
    const isLine = last >= at;
    const blocks: Buffer[] = [];
    if (isLine) {
      if (this.#isSkipping) from = this.#memory.indexOf(newline, at) + 1;
      this.#isSkipping = false;
      if (from <= last) this.#cut(blocks, from, last + 1);
      from = last + 1;
    }
    if (this.#isSkipping) from = end;
    if (end - from > longestLine) {
      this.#isSkipping = true;
      this.skipped += 1;
      from = end;
    }
    this.#held = this.#memory.subarray(from, end);
    return blocks;
  }

  /** The blocks are of no use any more, and the next may be read. */
  release(): void {
    this.#begun = this.#held.copy(this.#memory, longestLine - this.#held.length);
  }

  /** The line that has no end yet, with one. */
  rest(): Buffer | undefined {
    if (this.#begun === 0) return undefined;
    return Buffer.concat([this.#memory.subarray(longestLine - this.#begun, longestLine), Buffer.from("\n")]);
  }

  get #memory(): Buffer {
    if (this.#lent === undefined) throw new Error("the memory of this block is another's");
    return this.#lent;
  }

  /** Lines between `from` and `end`, without those that are too long. */
  #cut(blocks: Buffer[], from: number, end: number): void {
    let begin = from;
    for (let at = from + stride; at < end; at += stride) {
      const before = this.#memory.lastIndexOf(newline, at - 1) + 1;
      const lineBegin = Math.max(before, begin);
      const lineEnd = this.#memory.indexOf(newline, at) + 1;
      if (lineEnd - lineBegin <= longestLine) continue;
      if (lineBegin > begin) blocks.push(this.#memory.subarray(begin, lineBegin));
      this.skipped += 1;
      begin = lineEnd;
      at = Math.max(at, lineEnd);
    }
    if (begin < end) blocks.push(this.#memory.subarray(begin, end));
  }
}
