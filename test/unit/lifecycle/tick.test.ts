import assert from "node:assert/strict";
import { test } from "node:test";
import { tickDelayMs } from "../../../src/lifecycle/tick.ts";

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
