import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Alarm } from "../../../src/lifecycle/alarm.ts";

/** Its `woken` resolves with the times of its wakes once there were so many. */
function alarmFor(times: number, nextOf: (wakes: number, now: number) => number = () => Infinity) {
  const done = Promise.withResolvers<readonly number[]>();
  const wakes: number[] = [];
  const alarm = new Alarm((now) => {
    wakes.push(now);
    if (wakes.length === times) done.resolve(wakes);
    return nextOf(wakes.length, now);
  });
  // An alarm keeps no process alive.
  const awake = setInterval(() => undefined, 1_000);
  return {
    ...{ alarm, wakes, woken: done.promise },
    [Symbol.dispose]: () => {
      clearInterval(awake);
      alarm[Symbol.dispose]();
    },
  };
}

describe("an alarm", () => {
  test("wakes once for the earliest of those who wait together", async () => {
    using scene = alarmFor(1);
    const { alarm, woken, wakes } = scene;
    const start = performance.now();
    alarm.by(start + 3_600_000);
    for (let each = 0; each < 100; each += 1) alarm.by(start + 20);
    const [first = 0] = await woken;
    assert.ok(first < start + 3_600_000);
    assert.equal(wakes.length, 1);
  });

  test("wakes again when what it does says so, and then for who asks", async () => {
    using scene = alarmFor(3, (count, now) => (count < 3 ? now + 1 : Infinity));
    const { alarm, woken, wakes } = scene;
    alarm.by(performance.now());
    await woken;
    assert.equal(wakes.length, 3);
  });

  test("does not wake once it is disposed of, whoever asks", async () => {
    using scene = alarmFor(1);
    using other = alarmFor(1);
    const { alarm, wakes } = scene;
    alarm.by(performance.now() + 5);
    alarm[Symbol.dispose]();
    alarm.by(performance.now());
    other.alarm.by(performance.now() + 40);
    await other.woken;
    assert.deepEqual(wakes, []);
  });
});
