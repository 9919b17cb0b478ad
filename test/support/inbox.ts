/** The messages of a stream, one after the other, with a deadline for each. */
import type { ByteStream } from "../../src/grpc/channel.ts";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { patience } from "./patience.ts";

export interface Inbox {
  /** The next message. @throws the stream's error, or Error when none comes in time */
  next(withinMs?: number): Promise<Buffer>;
  /** Resolves if nothing comes for a while. */
  staysEmpty(forMs?: number): Promise<void>;
}

type Outcome = { readonly message: Buffer } | { readonly error: unknown };

export function inboxOf(stream: ByteStream): Inbox {
  const iterator = stream[Symbol.asyncIterator]();
  let pending: Promise<Outcome> | undefined;
  const within = async (ms: number): Promise<Outcome | undefined> => {
    pending ??= take();
    const settled = new AbortController();
    const outcome = await Promise.race([pending, sleep(ms, settled.signal)]);
    settled.abort();
    return outcome ?? undefined;
  };
  const take = (): Promise<Outcome> =>
    iterator.next().then(
      ({ value, done }): Outcome =>
        done === true ? { error: new Error("the stream has ended") } : { message: value },
      (error: unknown): Outcome => ({ error }),
    );
  return {
    async next(withinMs = 5_000) {
      const patientMs = patience(withinMs);
      const outcome = await within(patientMs);
      if (outcome === undefined) throw new Error(`no message within ${patientMs} ms`);
      pending = undefined;
      if ("error" in outcome) throw outcome.error;
      return outcome.message;
    },
    async staysEmpty(forMs = 200) {
      if ((await within(forMs)) !== undefined) throw new Error("something came");
    },
  };
}
