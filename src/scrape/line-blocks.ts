/** Memory that sources are read into, kept from one scrape for the next: what is new each time has to be collected. */
import { LineBlock } from "./merge/line-block.ts";

/** As many are kept as two scrapes at once read from in most pods. */
const mostKept = 4;

/** Of all scrapes. */
export class LineBlocks {
  readonly #kept: Buffer[];
  readonly #lent: ReadonlySet<Buffer>;

  /** @param lent what is used before any other; where there is none, up to `mostKept` that were made are kept */
  constructor(lent: readonly Buffer[] = []) {
    this.#kept = [...lent];
    this.#lent = new Set(lent);
  }

  take(): LineBlock {
    return new LineBlock(this.#kept.pop());
  }

  /** Once nothing is read into it any more. @throws when it was given back before */
  giveBack(block: LineBlock): void {
    const memory = block.surrender();
    const isKept = this.#lent.size === 0 ? this.#kept.length < mostKept : this.#lent.has(memory);
    if (isKept) this.#kept.push(memory);
  }
}
