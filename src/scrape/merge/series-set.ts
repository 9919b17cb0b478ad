/**
 * Series that have been written, by a hash of 64 bits each: 8 bytes and the room that a table needs.
 */

/** Of one scrape. */
export class SeriesSet {
  #high = new Uint32Array(1_024);
  #low = new Uint32Array(1_024);
  #size = 0;

  /** False when it was there. @param bytes name and labels, from `from` to `end` */
  add(bytes: Uint8Array, from: number, end: number): boolean {
    let high = 0x811c_9dc5 ^ (end - from);
    let low = 0x9747_b28c;
    for (let at = from; at < end; at += 4) {
      const word = fourBytes(bytes, at, end);
      // What is shifted brings the upper bytes' differences down, which a multiplication alone never does.
      high = Math.imul(high ^ word, 0x9e37_79b1);
      high ^= high >>> 15;
      low = Math.imul(low ^ word, 0x85eb_ca6b);
      low ^= low >>> 13;
    }
    // Zero marks a free place.
    if (high === 0) high = 1;
    if (this.#size * 2 >= this.#high.length) this.#grow();
    return this.#put(high >>> 0, low >>> 0);
  }

  #put(high: number, low: number): boolean {
    const mask = this.#high.length - 1;
    let place = low & mask;
    for (let found = this.#high[place]; found !== 0; found = this.#high[place]) {
      if (found === high && this.#low[place] === low) return false;
      place = (place + 1) & mask;
    }
    this.#high[place] = high;
    this.#low[place] = low;
    this.#size += 1;
    return true;
  }

  #grow(): void {
    const [high, low] = [this.#high, this.#low];
    this.#high = new Uint32Array(high.length * 2);
    this.#low = new Uint32Array(high.length * 2);
    this.#size = 0;
    for (const [place, part] of high.entries()) if (part !== 0) this.#put(part, low[place] ?? 0);
  }
}

/** Those at `at` and after it as one number; 0 for those that are beyond `end`. */
function fourBytes(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end)
    return (
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)
    );
  let word = 0;
  for (let last = end - 1; last >= at; last -= 1) word = (word << 8) | (bytes[last] ?? 0);
  return word;
}
