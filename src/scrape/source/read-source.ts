/**
 * The body of a source, in pieces of whole lines that may stand in the merged exposition: those of what has come at once
 * go on at once, as each step of its way costs more than what a piece has in it.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { Timer } from "../../lifecycle/timer.ts";
import type { LineBlock } from "../merge/line-block.ts";
import type { SourceText } from "../merge/source-text.ts";
import type { Tally } from "../merge/tally.ts";
import { SourceFailure } from "./failure.ts";
import type { OpenSource } from "./open-source.ts";

/** How much of it is taken. */
export interface ReadLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** What is read of it. */
interface Body {
  readonly next: () => Promise<Buffer | undefined>;
  readonly destroy: (reason: Error) => void;
}

/**
 * Each time the pieces are the reader's until it asks for the next ones. A failure comes after what could be used, the last
 * line of which is whole.
 *
 * @param lines what the body is read into
 * @throws SourceFailure
 */
export async function* readSource(
  { body, isDelimited }: Pick<OpenSource, "isDelimited"> & { readonly body: Body },
  text: SourceText,
  lines: LineBlock,
  tally: Tally,
  { maxBytes, timeoutMs }: ReadLimits,
  passed: () => Promise<void>,
): AsyncGenerator<readonly Uint8Array[], void, undefined> {
  const stop = (): void => {
    body.destroy(new SourceFailure("timeout", `was not done after ${Math.round(timeoutMs)} ms`));
  };
  using timer = new Timer(timeoutMs, stop, { isBackground: true });
  try {
    for (let read = await body.next(); read !== undefined; read = await body.next()) {
      tally.bytes += read.length;
      const pieces = lines.add(read).flatMap((block) => text.take(block));
      if (pieces.length > 0) yield pieces;
      lines.release();
      await passed();
      if (tally.bytes > maxBytes) throw new SourceFailure("too_large", `is longer than ${maxBytes} bytes`);
      if (text.isHopeless) throw new SourceFailure("invalid", "writes lines that are no metrics");
      if (text.hasEnded === true) break;
    }
  } catch (error) {
    throw error instanceof SourceFailure ? error : new SourceFailure("torn", errorMessage(error), error);
  } finally {
    if (lines.skipped > 0) tally.drop("invalid", lines.skipped);
    timer.cancel();
    body.destroy(new SourceFailure("torn", "nobody reads it any more"));
  }
  const rest = lines.rest();
  const last = rest !== undefined && isDelimited ? text.take(rest) : [];
  if (last.length > 0) yield last;
  if (text.hasEnded === false || (rest !== undefined && !isDelimited))
    throw new SourceFailure("torn", "broke off");
  if (tally.samples === 0 && (tally.dropped.get("invalid") ?? 0) > 0)
    throw new SourceFailure("invalid", "writes lines that are no metrics");
}
