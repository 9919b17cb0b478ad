/** Requests one after the other in the background, each result kept. */
import assert from "node:assert/strict";
import { sleep } from "../../src/lifecycle/sleep.ts";
import type { HttpResponse } from "../../src/net/http-client.ts";
import { eventually } from "./eventually.ts";

export interface Load extends AsyncDisposable {
  /** Requests so far. */
  readonly count: () => number;
  /** Resolves after so many further requests, however slow the machine is. */
  readonly more: (requests: number) => Promise<void>;
  /** Stop and resolve to what went wrong, one line each. */
  readonly stop: () => Promise<readonly string[]>;
}

export function startLoad(call: () => Promise<HttpResponse>): Load {
  const stop = new AbortController();
  const failures: string[] = [];
  let count = 0;
  const running = (async () => {
    while (!stop.signal.aborted) {
      try {
        const { status, body } = await call();
        if (status !== 200) failures.push(`${new Date().toISOString()} ${status} ${body.toString("utf8")}`);
      } catch (error) {
        failures.push(`${new Date().toISOString()} ${String(error)}`);
      }
      count += 1;
      await sleep(5);
    }
  })();
  const end = async (): Promise<readonly string[]> => {
    stop.abort();
    await running;
    return failures;
  };
  return {
    count: () => count,
    more: async (requests) => {
      const enough = count + requests;
      await eventually(`${requests} more requests`, () => assert.ok(count >= enough, `${count}`), {
        withinMs: 60_000,
      });
    },
    stop: end,
    async [Symbol.asyncDispose]() {
      await end();
    },
  };
}
