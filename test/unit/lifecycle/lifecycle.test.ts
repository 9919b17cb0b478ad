import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { backoffDelayMs } from "../../../src/lifecycle/backoff.ts";
import { errorMessage } from "../../../src/lifecycle/error-message.ts";
import { retrying } from "../../../src/lifecycle/retry.ts";
import { aborted } from "../../../src/lifecycle/sleep.ts";
import { TaskGroup } from "../../../src/lifecycle/task-group.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";

test("a connection that failed on each address of a name is told by each of them", () => {
  const error = new AggregateError([
    new Error("connect ECONNREFUSED ::1:1"),
    new Error("connect ECONNREFUSED 127.0.0.1:1"),
  ]);
  assert.equal(errorMessage(error), "connect ECONNREFUSED ::1:1, connect ECONNREFUSED 127.0.0.1:1");
});

describe("TaskGroup", () => {
  test("the first failure cancels the siblings and is named", async () => {
    const group = new TaskGroup();
    let cancelled = false;
    group.spawn("waits", async (signal) => {
      await aborted(signal);
      cancelled = true;
    });
    group.spawn("breaks", () => Promise.reject(new Error("no disk")));
    await aborted(group.signal);
    await group[Symbol.asyncDispose]();
    assert.equal(cancelled, true);
    assert.equal(group.failure?.message, "task breaks failed: no disk");
  });

  test("a task that ends because it was cancelled has not failed", async () => {
    const group = new TaskGroup();
    group.spawn("throws-on-abort", async (signal) => {
      await aborted(signal);
      signal.throwIfAborted();
    });
    await group[Symbol.asyncDispose]();
    assert.equal(group.failure, undefined);
  });

  test("a name is taken once", async () => {
    await using group = new TaskGroup();
    group.spawn("one", (signal) => aborted(signal));
    assert.throws(() => group.spawn("one", (signal) => aborted(signal)), /already running/);
  });
});

describe("Watch", () => {
  test("a slow reader wakes to the newest value", async () => {
    const watch = new Watch(1);
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const value of watch.changes(stop.signal)) {
      seen.push(value);
      if (value === 1) {
        watch.set(2);
        watch.set(3);
      }
      if (value === 3) stop.abort();
    }
    assert.deepEqual(seen, [1, 3]);
  });

  test("an abort ends a reader that waits", async () => {
    const stop = new AbortController();
    const reader = Array.fromAsync(new Watch("only").changes(stop.signal));
    setImmediate(() => {
      stop.abort();
    });
    assert.deepEqual(await reader, ["only"]);
  });
});

describe("backoffDelayMs()", () => {
  const backoff = { initialMs: 100, multiplier: 2, maxMs: 1_000, jitter: 0.5 };
  for (const [name, attempt, random, expected] of [
    ["starts at the initial delay", 0, 0.5, 100],
    ["grows by the multiplier", 2, 0.5, 400],
    ["stops at the longest delay", 9, 0.5, 1_000],
    ["varies down", 0, 0, 50],
    ["varies up", 0, 1, 150],
  ] as const) {
    test(name, () => {
      assert.equal(backoffDelayMs(backoff, attempt, random), expected);
    });
  }
});

describe("retrying()", () => {
  const backoff = { initialMs: 0, multiplier: 1, maxMs: 0, jitter: 0 };

  test("tries until it succeeds and reports each failure", async () => {
    const failures: number[] = [];
    let calls = 0;
    const result = await retrying(
      () => (++calls < 3 ? Promise.reject(new Error("not yet")) : Promise.resolve("done")),
      {
        backoff,
        signal: new AbortController().signal,
        onFailure: (failure) => failures.push(failure.failures),
      },
    );
    assert.equal(result, "done");
    assert.deepEqual(failures, [1, 2]);
  });

  test("throws a final error at once", async () => {
    const final = new Error("never");
    await assert.rejects(
      retrying(() => Promise.reject(final), {
        backoff,
        signal: new AbortController().signal,
        onFailure: () => assert.fail("retried"),
        isFinal: () => true,
      }),
      final,
    );
  });
});

test("an error is told with its causes, none of them twice", () => {
  const cause = new Error("connect ECONNREFUSED");
  assert.equal(errorMessage(new Error("no CA", { cause })), "no CA: connect ECONNREFUSED");
  assert.equal(
    errorMessage(new Error("no CA: connect ECONNREFUSED", { cause })),
    "no CA: connect ECONNREFUSED",
  );
});
