/**
 * Reads a sample's line as almost every line is written: `name{label="value",…} 1.5`, one blank, nothing after it.
 *
 * It goes over the bytes once and makes no text of them, as there may be a hundred thousand such lines in one scrape.
 * Whatever it does not know is left to `readSample`, which knows everything and is slow.
 */

const nameStart = 1;
const nameRest = 2;
const labelStart = 4;
const labelRest = 8;
const digit = 16;

const classes = new Uint8Array(256);
for (let byte = 0; byte < 128; byte += 1) {
  const character = String.fromCharCode(byte);
  if (/[a-zA-Z_]/.test(character)) classes[byte] = nameStart | nameRest | labelStart | labelRest;
  else if (/\d/.test(character)) classes[byte] = nameRest | labelRest | digit;
  else if (character === ":") classes[byte] = nameStart | nameRest;
}

function is(byte: number | undefined, kind: number): boolean {
  return ((classes[byte ?? 0] ?? 0) & kind) !== 0;
}

const [newline, blank, quote, comma, equals, opening, closing, backslash] = [
  10, 32, 34, 44, 61, 123, 125, 92,
];

/** More labels than this are for the slow way. */
const mostLabels = 64;

/** One for each source: it remembers the labels of the line before. */
export class SampleScanner {
  /** Where the name ends, and where the series does, in the line that was read last. */
  nameEnd = 0;
  seriesEnd = 0;
  #count = 0;
  #starts = new Int32Array(mostLabels);
  #ends = new Int32Array(mostLabels);
  #known: Uint8Array = new Uint8Array(0);
  #knownCount = 0;
  #knownStarts = new Int32Array(mostLabels);
  #knownEnds = new Int32Array(mostLabels);

  /** Where the next line begins; -1 when this one has to be read another way. `bytes` must end with a newline. */
  scan(bytes: Uint8Array, from: number): number {
    let at = from;
    if (!is(bytes[at], nameStart)) return -1;
    do at += 1;
    while (is(bytes[at], nameRest));
    this.nameEnd = at;
    if (bytes[at] === opening) {
      at = this.#labels(bytes, at + 1);
      if (at < 0) return -1;
    }
    if (bytes[at] !== blank) return -1;
    this.seriesEnd = at;
    return valueEnd(bytes, at + 1);
  }

  #labels(bytes: Uint8Array, from: number): number {
    let at = from;
    let count = 0;
    for (;;) {
      const start = at;
      if (count === mostLabels || !is(bytes[at], labelStart)) return -1;
      do at += 1;
      while (is(bytes[at], labelRest));
      this.#starts[count] = start;
      this.#ends[count] = at;
      count += 1;
      if (bytes[at] !== equals || bytes[at + 1] !== quote) return -1;
      at += 2;
      for (let byte = bytes[at]; byte !== quote; byte = bytes[at]) {
        if (byte === newline || byte === undefined) return -1;
        if (byte === backslash) {
          const escaped = bytes[at + 1];
          if (escaped !== backslash && escaped !== quote && escaped !== 110) return -1;
          at += 1;
        }
        at += 1;
      }
      at += 1;
      if (bytes[at] === closing) break;
      if (bytes[at] !== comma) return -1;
      at += 1;
    }
    this.#count = count;
    return this.#isDistinct(bytes) ? at + 1 : -1;
  }

  /** No label twice, which Prometheus refuses with everything else of the scrape. Most lines have those of the last. */
  #isDistinct(bytes: Uint8Array): boolean {
    const count = this.#count;
    if (count === this.#knownCount && this.#hasKnownLabels(bytes)) {
      if (this.#known !== bytes) this.#learn(bytes);
      return true;
    }
    const names = new Set<string>();
    for (let index = 0; index < count; index += 1)
      names.add(Buffer.prototype.latin1Slice.call(bytes, this.#starts[index], this.#ends[index]));
    if (names.size !== count || names.has("__name__")) return false;
    this.#learn(bytes);
    return true;
  }

  #learn(bytes: Uint8Array): void {
    this.#known = bytes;
    this.#knownCount = this.#count;
    [this.#starts, this.#knownStarts] = [this.#knownStarts, this.#starts];
    [this.#ends, this.#knownEnds] = [this.#knownEnds, this.#ends];
  }

  #hasKnownLabels(bytes: Uint8Array): boolean {
    const known = this.#known;
    for (let index = 0; index < this.#count; index += 1) {
      let mine = this.#starts[index] ?? 0;
      let theirs = this.#knownStarts[index] ?? 0;
      const end = this.#ends[index] ?? 0;
      if (end - mine !== (this.#knownEnds[index] ?? 0) - theirs) return false;
      for (; mine < end; mine += 1, theirs += 1) if (bytes[mine] !== known[theirs]) return false;
    }
    return true;
  }
}

/** Where the line ends that has a usual number at `from` and nothing after it; -1 for any other. */
function valueEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  if (bytes[at] === 45) at += 1;
  const whole = at;
  while (is(bytes[at], digit)) at += 1;
  if (at === whole || at - whole > 20) return -1;
  if (bytes[at] === 46) {
    const fraction = (at += 1);
    while (is(bytes[at], digit)) at += 1;
    if (at === fraction || at - fraction > 20) return -1;
  }
  if (bytes[at] === 101 || bytes[at] === 69) {
    at += 1;
    if (bytes[at] === 43 || bytes[at] === 45) at += 1;
    const exponent = at;
    while (is(bytes[at], digit)) at += 1;
    if (at === exponent || at - exponent > 2) return -1;
  }
  return bytes[at] === newline ? at + 1 : -1;
}
