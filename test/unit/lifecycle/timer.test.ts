import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { onTicks, ticks } from "../../../src/lifecycle/tick.ts";
import { Deadline, every, Timer } from "../../../src/lifecycle/timer.ts";

const hour = 3_600_000;

const overlong = [2 ** 31, 2 ** 32 + 0.5, 5e9, 9_999 * hour, Number.MAX_SAFE_INTEGER, Infinity];

/** Node's timers by hand: each delay that was asked for, and a way to let the time pass. */
class Clock implements Disposable {
  readonly delays: number[] = [];
  readonly #calls: (() => void)[] = [];
  readonly #mocked = mock.method(globalThis, "setTimeout", (call: () => void, ms: number) => {
    this.delays.push(ms);
    this.#calls.push(call);
    return { unref: () => undefined };
  });

  /** Let the oldest delay pass. */
  pass(): void {
    this.#calls.shift()?.();
  }

  [Symbol.dispose](): void {
    this.#mocked.mock.restore();
  }
}

describe("a time that Node's timers cannot hold", () => {
  for (const ms of overlong) {
    test(`${ms} ms do not pass at once, in none of the ways to wait`, async () => {
      const passed: string[] = [];
      const note = (name: string) => () => passed.push(name);
      const stop = new AbortController();
      using _timer = new Timer(ms, note("timer"));
      using _background = new Timer(ms, note("background"), { isBackground: true });
      using _every = every(ms, note("every"));
      using _onTicks = onTicks(ms, note("on ticks"));
      using deadline = new Deadline(ms);
      deadline.signal.addEventListener("abort", note("deadline"));
      const slept = sleep(ms, stop.signal).then(note("sleep"));
      const ticked = ticks(ms, stop.signal).next().then(note("ticks"));
      // Delays that Node cuts down to a millisecond have passed before this one.
      await sleep(20);
      assert.deepEqual(passed, []);
      stop.abort();
      await Promise.all([slept, ticked]);
    });
  }

  test("it is waited for in pieces that add up", () => {
    using clock = new Clock();
    let calls = 0;
    new Timer(2 ** 32 + 5, () => (calls += 1));
    for (const done of [0, 0, 1]) {
      clock.pass();
      assert.equal(calls, done);
    }
    assert.deepEqual(clock.delays, [2 ** 31 - 1, 2 ** 31 - 1, 7]);
  });

  test("one that is over already is asked for as none, not as a negative one, of which Node warns", () => {
    using clock = new Clock();
    for (const ms of [-0.5, -5_000, -Infinity]) new Timer(ms, () => undefined);
    assert.deepEqual(clock.delays, [0, 0, 0]);
  });

  test("an endless one never ends", () => {
    using clock = new Clock();
    new Timer(Infinity, () => assert.fail("it ended"));
    for (let piece = 0; piece < 1_000; piece += 1) clock.pass();
    assert.deepEqual(new Set(clock.delays), new Set([2 ** 31 - 1]));
  });
});

describe("a timer", () => {
  test("what is no number is refused, not taken for nothing", () => {
    assert.throws(() => new Timer(Number.NaN, () => undefined), /number of milliseconds/);
  });

  test("restarts with the whole time", () => {
    using clock = new Clock();
    const timer = new Timer(2 ** 31, () => undefined);
    clock.pass();
    timer.restart();
    assert.deepEqual(clock.delays, [2 ** 31 - 1, 1, 2 ** 31 - 1]);
  });

  test("what is to come every so often stops when it is disposed by what it calls", () => {
    using clock = new Clock();
    let calls = 0;
    const beat = every(10, () => {
      calls += 1;
      if (calls === 3) beat[Symbol.dispose]();
    });
    for (let turn = 0; turn < 3; turn += 1) clock.pass();
    assert.deepEqual([calls, clock.delays], [3, [10, 10, 10, 10]]);
  });
});

test("a deadline says why it aborts, and no longer does when its work is over", async () => {
  using passed = new Deadline(0.5);
  {
    using kept = new Deadline(1);
    kept.signal.addEventListener("abort", () => assert.fail("its work was over"));
  }
  const reason = await new Promise((resolve) => {
    passed.signal.addEventListener("abort", () => {
      resolve(passed.signal.reason);
    });
    // It holds no process.
    const held = new Timer(60_000, () => undefined);
    passed.signal.addEventListener("abort", () => {
      held.cancel();
    });
  });
  assert.ok(reason instanceof DOMException && reason.name === "TimeoutError");
});
