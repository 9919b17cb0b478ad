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
/** What ends a stretch of a label's value. */
const inValue = 32;

const [newline, blank, quote, comma, equals, opening, closing, backslash] = [
  10, 32, 34, 44, 61, 123, 125, 92,
];

const classes = new Uint8Array(256);
for (let byte = 0; byte < 128; byte += 1) {
  const character = String.fromCharCode(byte);
  if (/[a-zA-Z_]/.test(character)) classes[byte] = nameStart | nameRest | labelStart | labelRest;
  else if (/\d/.test(character)) classes[byte] = nameRest | labelRest | digit;
  else if (character === ":") classes[byte] = nameStart | nameRest;
  else if ([newline, quote, backslash].includes(byte)) classes[byte] = inValue;
}

function is(byte: number | undefined, kind: number): boolean {
  return ((classes[byte ?? newline] ?? 0) & kind) !== 0;
}

/** More labels than this are for the slow way. */
const mostLabels = 64;

/** One for each source: it remembers the labels of the line before, as most lines have those of the last. */
export class SampleScanner {
  /** Where the name ends, and where the series does, in the line that was read last. */
  nameEnd = 0;
  seriesEnd = 0;
  /** It has the name of the line before. */
  isLastName = false;
  #labelCount = 0;
  #labelStarts = new Int32Array(0);
  #labelEnds = new Int32Array(0);
  #named: Uint8Array = new Uint8Array(0);
  #nameStart = 0;
  #nameLength = 0;
  /** Names of the labels of the line before, and where they are in it. */
  #known: Uint8Array = new Uint8Array(0);
  #knownCount = 0;
  #knownStarts = new Int32Array(mostLabels);
  #knownEnds = new Int32Array(mostLabels);
  #starts = new Int32Array(mostLabels);
  #ends = new Int32Array(mostLabels);

  /** Where the next line begins; -1 when this one has to be read another way. `bytes` must end with a newline. */
  scan(bytes: Uint8Array, from: number): number {
    let at = this.#name(bytes, from);
    if (at < 0) return -1;
    this.nameEnd = at;
    this.#labelCount = 0;
    if (bytes[at] === opening) {
      at = this.#labels(bytes, at + 1);
      if (at < 0) return -1;
    }
    if (bytes[at] !== blank) return -1;
    this.seriesEnd = at;
    const end = valueEnd(bytes, at + 1);
    if (end < 0) return -1;
    this.#named = bytes;
    this.#nameStart = from;
    this.#nameLength = this.nameEnd - from;
    return end;
  }

  /**
   * The line that was read last without its values, which lie between these parts: where each begins and ends.
   *
   * @param from where the line begins
   */
  parts(from: number): readonly (readonly [begin: number, end: number])[] {
    const parts: [begin: number, end: number][] = [];
    let begin = from;
    for (let index = 0; index < this.#labelCount; index += 1) {
      // Of a value, the quotes belong to what is beside it.
      if (index > 0) begin = (this.#labelStarts[index] ?? 0) - '",'.length;
      parts.push([begin, (this.#labelEnds[index] ?? 0) + '="'.length]);
    }
    if (this.#labelCount > 0) begin = this.seriesEnd - '"}'.length;
    parts.push([begin, this.seriesEnd + 1]);
    return parts;
  }

  /** The next line has another name than the last, whatever it is. */
  forgetName(): void {
    this.#nameLength = 0;
  }

  /** What was read is about to be overwritten. */
  forget(): void {
    this.forgetName();
    this.#knownCount = 0;
  }

  #name(bytes: Uint8Array, from: number): number {
    const named = this.#named;
    let at = from;
    let theirs = this.#nameStart;
    const end = theirs + this.#nameLength;
    while (theirs < end && bytes[at] === named[theirs]) {
      at += 1;
      theirs += 1;
    }
    const isSame = theirs === end && at > from;
    this.isLastName = isSame && !is(bytes[at], nameRest);
    if (this.isLastName) return at;
    if (!isSame) {
      at = from;
      if (!is(bytes[at], nameStart)) return -1;
    }
    while (is(bytes[at], nameRest)) at += 1;
    return at;
  }

  #labels(bytes: Uint8Array, from: number): number {
    const known = this.#known;
    const knownCount = this.#knownCount;
    const [starts, ends, knownStarts, knownEnds] = [
      this.#starts,
      this.#ends,
      this.#knownStarts,
      this.#knownEnds,
    ];
    let at = from;
    let count = 0;
    let isAsBefore = true;
    for (;;) {
      const start = at;
      if (count === mostLabels) return -1;
      if (isAsBefore && count < knownCount) {
        const end = knownEnds[count] ?? 0;
        let theirs = knownStarts[count] ?? 0;
        while (theirs < end && bytes[at] === known[theirs]) {
          at += 1;
          theirs += 1;
        }
        isAsBefore = theirs === end && bytes[at] === equals;
      } else {
        isAsBefore = false;
      }
      if (!isAsBefore) {
        at = start;
        if (!is(bytes[at], labelStart)) return -1;
        do at += 1;
        while (is(bytes[at], labelRest));
        if (bytes[at] !== equals) return -1;
      }
      starts[count] = start;
      ends[count] = at;
      count += 1;
      if (bytes[at + 1] !== quote) return -1;
      at = quoteAt(bytes, at + 2);
      if (at < 0) return -1;
      at += 1;
      if (bytes[at] === closing) break;
      if (bytes[at] !== comma) return -1;
      at += 1;
    }
    if ((!isAsBefore || count !== knownCount) && !this.#isDistinct(bytes, count)) return -1;
    [this.#labelCount, this.#labelStarts, this.#labelEnds] = [count, starts, ends];
    if (known !== bytes || !isAsBefore || count !== knownCount) this.#learn(bytes, count);
    return at + 1;
  }

  /** No label twice, which Prometheus refuses with everything else of the scrape. */
  #isDistinct(bytes: Uint8Array, count: number): boolean {
    const names = new Set<string>();
    for (let index = 0; index < count; index += 1)
      names.add(Buffer.prototype.latin1Slice.call(bytes, this.#starts[index], this.#ends[index]));
    return names.size === count && !names.has("__name__");
  }

  #learn(bytes: Uint8Array, count: number): void {
    this.#known = bytes;
    this.#knownCount = count;
    [this.#starts, this.#knownStarts] = [this.#knownStarts, this.#starts];
    [this.#ends, this.#knownEnds] = [this.#knownEnds, this.#ends];
  }
}

/** Where a label's value ends that begins at `from`; -1 when it does not, or has an escape that is none. */
function quoteAt(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    while (!is(bytes[at], inValue)) at += 1;
    const byte = bytes[at];
    if (byte === quote) return at;
    if (byte !== backslash) return -1;
    const escaped = bytes[at + 1];
    if (escaped !== backslash && escaped !== quote && escaped !== 110) return -1;
    at += 2;
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
