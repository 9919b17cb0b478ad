/** A body in chunks (RFC 9112, 7.1), which is put together where it lies. */

/** Longest line between chunks, in bytes, and all of the lines after the last of them. */
const longestLine = 1_024;
const longestTrailers = 16_384;

const [carriageReturn, newline] = [13, 10];

type Place = "size" | "data" | "data-end" | "trailers" | "done";

/** Of one response. */
export class ChunkedBody {
  #place: Place = "size";
  /** Of the chunk, what is still to come. */
  #left = 0;
  #line = "";
  #trailers = 0;

  /** The last chunk and what follows it have come. */
  get isDone(): boolean {
    return this.#place === "done";
  }

  /**
   * Bytes of chunks that lie between `from` and `end` are moved together, from `from` on.
   *
   * @returns where they end
   * @throws Error for what are no chunks
   */
  take(bytes: Buffer, from: number, end: number): number {
    let to = from;
    let at = from;
    while (at < end && this.#place !== "done") {
      if (this.#place !== "data") {
        at = this.#takeLine(bytes, at, end);
        continue;
      }
      const length = Math.min(this.#left, end - at);
      if (to !== at) bytes.copyWithin(to, at, at + length);
      to += length;
      at += length;
      this.#left -= length;
      if (this.#left === 0) this.#place = "data-end";
    }
    return to;
  }

  /** Where what follows the line begins, or `end` while the line is not whole. */
  #takeLine(bytes: Buffer, from: number, end: number): number {
    const at = bytes.indexOf(newline, from);
    const stop = at < 0 || at >= end ? end : at + 1;
    this.#line += bytes.toString("latin1", from, stop);
    if (this.#place === "trailers") this.#trailers += stop - from;
    if (this.#line.length > longestLine || this.#trailers > longestTrailers)
      throw new Error("a line between chunks is too long");
    if (stop === end && bytes[end - 1] !== newline) return end;
    if (this.#line.charCodeAt(this.#line.length - 2) !== carriageReturn)
      throw new Error("a line between chunks does not end as it should");
    const line = this.#line.slice(0, -2);
    this.#line = "";
    this.#end(line);
    return stop;
  }

  #end(line: string): void {
    switch (this.#place) {
      case "size": {
        const [, size] = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line) ?? [];
        if (size === undefined) throw new Error("a chunk has no size");
        this.#left = Number.parseInt(size, 16);
        this.#place = this.#left === 0 ? "trailers" : "data";
        return;
      }
      case "data-end":
        if (line !== "") throw new Error("a chunk is longer than it says");
        this.#place = "size";
        return;
      case "trailers":
        if (line === "") this.#place = "done";
        return;
      default:
    }
  }
}
