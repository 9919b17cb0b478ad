import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type SignalSource, subscribeToSignals } from "../../../src/cli/signals.ts";

function source(): { on: SignalSource["on"]; send: (name: NodeJS.Signals) => void } {
  const listeners = new Map<string, (name: NodeJS.Signals) => void>();
  return {
    on: (event, listener) => listeners.set(event, listener),
    send: (name) => listeners.get(name)?.(name),
  };
}

describe("subscribeToSignals()", () => {
  for (const [name, signals, shutdown, hurry] of [
    ["one signal asks to stop", [["SIGTERM", 0]], true, false],
    [
      "the same signal within a second is the same request",
      [
        ["SIGINT", 0],
        ["SIGINT", 900],
      ],
      true,
      false,
    ],
    [
      "the same signal later hurries",
      [
        ["SIGINT", 0],
        ["SIGINT", 1_100],
      ],
      true,
      true,
    ],
    [
      "another signal hurries at once",
      [
        ["SIGINT", 0],
        ["SIGTERM", 10],
      ],
      true,
      true,
    ],
    [
      "a third echo still is an echo",
      [
        ["SIGINT", 0],
        ["SIGINT", 600],
        ["SIGINT", 999],
      ],
      true,
      false,
    ],
    ["a closed terminal asks to stop", [["SIGHUP", 0]], true, false],
  ] as const) {
    test(name, () => {
      let now = 0;
      const from = source();
      const stop = subscribeToSignals(from, () => now);
      for (const [signal, at] of signals) {
        now = at;
        from.send(signal);
      }
      assert.equal(stop.shutdown.aborted, shutdown);
      assert.equal(stop.hurry.aborted, hurry);
    });
  }

  test("signals for another program stop nothing here, and more of them are listened to", () => {
    const from = source();
    const stop = subscribeToSignals(from, () => 0);
    const passed: string[] = [];
    from.send("SIGUSR1");
    stop.passTo((name) => passed.push(name));
    for (const name of ["SIGTERM", "SIGTERM", "SIGUSR1", "SIGWINCH", "SIGQUIT"] as const) from.send(name);
    assert.deepEqual(passed, ["SIGTERM", "SIGTERM", "SIGUSR1", "SIGWINCH", "SIGQUIT"]);
    assert.equal(stop.shutdown.aborted, false);
  });
});
