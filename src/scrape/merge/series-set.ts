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
    let high = 0x811c_9dc5;
    let low = 0x9747_b28c;
    for (let at = from; at < end; at += 1) {
      const byte = bytes[at] ?? 0;
      high = Math.imul(high ^ byte, 0x0100_0193);
      low = Math.imul(low ^ (byte + 1), 0x85eb_ca6b);
      low ^= low >>> 15;
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
