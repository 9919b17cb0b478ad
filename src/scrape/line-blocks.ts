/** Memory that sources are read into, kept from one scrape for the next: what is new each time has to be collected. */
import { LineBlock } from "./merge/line-block.ts";

/** As many are kept as two scrapes at once read from in most pods. */
const mostKept = 4;

/** Of all scrapes. */
export class LineBlocks {
  readonly #kept: LineBlock[] = [];

  take(): LineBlock {
    const block = this.#kept.pop() ?? new LineBlock();
    block.clear();
    return block;
  }

  giveBack(block: LineBlock): void {
    if (this.#kept.length < mostKept) this.#kept.push(block);
  }
}
