import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { SharedFetches } from "../../../src/wasm/shared-fetches.ts";

/** A fetch that the test ends, and that notes how it was started and stopped. */
function heldFetch(): {
  readonly fetch: (signal: AbortSignal) => Promise<string>;
  readonly end: (value: string) => void;
  readonly starts: () => number;
  readonly stopped: () => boolean;
} {
  const { promise, resolve } = Promise.withResolvers<string>();
  let starts = 0;
  let signal: AbortSignal | undefined;
  return {
    fetch: (stop) => {
      starts += 1;
      signal = stop;
      return promise;
    },
    end: resolve,
    starts: () => starts,
    stopped: () => signal?.aborted === true,
  };
}

test("what several ask for is fetched once, and goes on while one of them waits", async () => {
  const fetches = new SharedFetches<string>(4);
  const held = heldFetch();
  const [first, second] = [new AbortController(), new AbortController()];
  const [a, b] = [first, second].map((asker) => fetches.get("key", held.fetch, asker.signal));
  first.abort();
  await assert.rejects(a ?? Promise.resolve(), { name: "AbortError" });
  assert.equal(held.stopped(), false);
  held.end("module");
  assert.equal(await b, "module");
  assert.equal(held.starts(), 1);
  assert.equal(getEventListeners(second.signal, "abort").length, 0);
});

test("what nobody waits for any more is stopped, and who comes then starts anew", async () => {
  const fetches = new SharedFetches<string>(4);
  const [left, wanted] = [heldFetch(), heldFetch()];
  const asker = new AbortController();
  const gone = fetches.get("key", left.fetch, asker.signal);
  asker.abort();
  await assert.rejects(gone, { name: "AbortError" });
  assert.equal(left.stopped(), true);
  const next = fetches.get("key", wanted.fetch, new AbortController().signal);
  left.end("too late");
  wanted.end("module");
  assert.equal(await next, "module");
});

test("only so many are fetched at once, and one that fails makes room", async () => {
  const fetches = new SharedFetches<string>(1);
  const never = new AbortController().signal;
  const failure = Promise.withResolvers<string>();
  const second = heldFetch();
  const a = fetches.get("a", () => failure.promise, never);
  const b = fetches.get("b", second.fetch, never);
  await Promise.resolve();
  assert.equal(second.starts(), 0);
  failure.reject(new Error("no"));
  await assert.rejects(a, /no/);
  second.end("module");
  assert.equal(await b, "module");
  assert.equal(await fetches.get("c", () => Promise.resolve("more"), never), "more");
});
