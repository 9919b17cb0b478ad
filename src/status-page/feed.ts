/**
 * The parts of the page that change, for whoever has it open: one look for all of them, and none without a reader.
 */
import { Readable } from "node:stream";
import { sleep } from "../lifecycle/sleep.ts";
import type { Section } from "./sections/parts.ts";

/** Between two looks, in milliseconds. */
const lookMs = 1_000;

/** Looks without news after which a line is sent all the same, so that a reader who has gone is noticed. */
const quietLooks = 15;

/**
 * Server-sent events (HTML Living Standard, 9.2): `section` with the id and the markup of a part, all of them at first,
 * then those that have changed. The next look waits until the last one was taken.
 *
 * @param look gives all parts, without secrets
 */
export function feed(look: () => Promise<readonly Section[]>, gone: AbortSignal): Readable {
  return Readable.from(events(look, gone), { objectMode: false, highWaterMark: 65_536 });
}

async function* events(look: () => Promise<readonly Section[]>, gone: AbortSignal): AsyncGenerator<string> {
  const sent = new Map<string, string>();
  yield `retry: ${lookMs * 2}\n\n`;
  for (let quiet = 0; !gone.aborted; quiet += 1) {
    for (const { id, body } of await look()) {
      if (sent.get(id) === body.text) continue;
      sent.set(id, body.text);
      quiet = 0;
      yield `event: section\ndata: ${JSON.stringify({ id, body: body.text })}\n\n`;
    }
    if (quiet >= quietLooks) {
      quiet = 0;
      yield ":\n\n";
    }
    await sleep(lookMs, gone);
  }
}
