/**
 * The body of a source, in pieces of whole lines that may stand in the merged exposition: those of what has come at once
 * go on at once, as each step of its way costs more than what a piece has in it.
 */
import type { IncomingMessage } from "node:http";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { Timer } from "../../lifecycle/timer.ts";
import { LineCutter } from "../merge/line-cutter.ts";
import type { SourceText } from "../merge/source-text.ts";
import type { Tally } from "../merge/tally.ts";
import { SourceFailure } from "./failure.ts";
import type { OpenSource } from "./open-source.ts";

/** Bytes that are read in one go: a tenth of a millisecond and more. */
const pauseBytes = 131_072;

/** How much of it is taken. */
export interface ReadLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** A failure comes after what could be used, the last line of which is whole. @throws SourceFailure */
export async function* readSource(
  { body, isDelimited }: Pick<OpenSource, "isDelimited"> & { readonly body: IncomingMessage },
  text: SourceText,
  tally: Tally,
  { maxBytes, timeoutMs }: ReadLimits,
  passed: (bytes: number) => Promise<void>,
): AsyncGenerator<readonly Uint8Array[], void, undefined> {
  const stop = (): void => {
    body.destroy(new SourceFailure("timeout", `was not done after ${Math.round(timeoutMs)} ms`));
  };
  using timer = new Timer(timeoutMs, stop, { isBackground: true });
  const lines = new LineCutter();
  let unpaused = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      tally.bytes += chunk.length;
      const pieces = lines.add(chunk).flatMap((block) => text.take(block));
      if (pieces.length > 0) yield pieces;
      unpaused += chunk.length;
      if (unpaused >= pauseBytes) {
        await passed(unpaused);
        unpaused = 0;
      }
      if (tally.bytes > maxBytes) throw new SourceFailure("too_large", `is longer than ${maxBytes} bytes`);
      if (text.isHopeless) throw new SourceFailure("invalid", "writes lines that are no metrics");
      if (text.hasEnded === true) break;
    }
  } catch (error) {
    throw error instanceof SourceFailure ? error : new SourceFailure("torn", errorMessage(error), error);
  } finally {
    if (lines.skipped > 0) tally.drop("invalid", lines.skipped);
    timer.cancel();
    body.destroy();
  }
  const rest = lines.rest();
  const last = rest !== undefined && isDelimited ? text.take(rest) : [];
  if (last.length > 0) yield last;
  if (text.hasEnded === false || (rest !== undefined && !isDelimited))
    throw new SourceFailure("torn", "broke off");
  if (tally.samples === 0 && (tally.dropped.get("invalid") ?? 0) > 0)
    throw new SourceFailure("invalid", "writes lines that are no metrics");
}
