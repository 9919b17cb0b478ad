import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { tickDelayMs, TickWait, ticks } from "../../../src/lifecycle/tick.ts";

test("loops that ask at different times wake at the same one", () => {
  const wakesAt = (now: number): number => Math.floor((now + tickDelayMs(now, 1_000)) / 1_000);
  assert.deepEqual([5_000, 5_000.1, 5_400.7, 5_999.9].map(wakesAt), [6, 6, 6, 6]);
});

test("a wait never ends before its tick, nor long after it", () => {
  for (const [now, everyMs] of [
    [0, 1_000],
    [999.999, 1_000],
    [1_234.5, 5_000],
    [17.25, 20],
  ] as const) {
    const tick = Math.floor(now / everyMs + 1) * everyMs;
    const late = now + tickDelayMs(now, everyMs) - tick;
    assert.ok(late >= 1 && late <= 2, `${now} of ${everyMs}: ${late} ms late`);
  }
});

describe("a wait for a tick", () => {
  test("ends at once when it is hastened, before it or in it, and once for each time", async () => {
    const stop = new AbortController();
    const wait = new TickWait();
    const beat = ticks(2 ** 31, stop.signal, wait);
    wait.hasten();
    wait.hasten();
    assert.equal((await beat.next()).done, false);
    const next = beat.next();
    wait.hasten();
    assert.equal((await next).done, false);
    const last = beat.next();
    stop.abort();
    assert.equal((await last).done, true);
  });

  test("is as long as is said before it", async () => {
    const stop = new AbortController();
    const asked: number[] = [];
    const every = (): number => {
      asked.push(asked.length);
      return 1;
    };
    for await (const _ of ticks(every, stop.signal)) if (asked.length === 3) stop.abort();
    assert.deepEqual(asked, [0, 1, 2]);
  });
});
