import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type SignalSource, subscribeToSignals } from "../../../src/init/signals.ts";

function source(): {
  on: SignalSource["on"];
  send: (name: NodeJS.Signals) => void;
  handled: () => readonly string[];
} {
  const listeners = new Map<string, (name: NodeJS.Signals) => void>();
  return {
    on: (event, listener) => listeners.set(event, listener),
    send: (name) => listeners.get(name)?.(name),
    handled: () => [...listeners.keys()].toSorted(),
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
    ["SIGQUIT asks to stop", [["SIGQUIT", 0]], true, false],
    [
      "the user's signals do not stop",
      [
        ["SIGUSR1", 0],
        ["SIGUSR2", 0],
      ],
      false,
      false,
    ],
  ] as const) {
    test(name, () => {
      let now = 0;
      const from = source();
      const stop = subscribeToSignals(from, () => now);
      stop.hangupMeans("stop");
      for (const [signal, at] of signals) {
        now = at;
        from.send(signal);
      }
      assert.equal(stop.shutdown.aborted, shutdown);
      assert.equal(stop.hurry.aborted, hurry);
      assert.equal(stop.reloadRequests.current, 0);
    });
  }

  test("every signal that would kill or open the inspector has a handler, and that of children has one", () => {
    const from = source();
    subscribeToSignals(from, () => 0);
    // signal(7): every signal that ends a process by default, but for SIGKILL, which nobody hears, SIGPIPE, which
    // Node.js ignores, and those of the process's own faults.
    assert.deepEqual(from.handled(), [
      "SIGALRM",
      "SIGCHLD",
      "SIGHUP",
      "SIGINT",
      "SIGIO",
      "SIGPROF",
      "SIGPWR",
      "SIGQUIT",
      "SIGSTKFLT",
      "SIGTERM",
      "SIGUSR1",
      "SIGUSR2",
      "SIGVTALRM",
      "SIGXCPU",
      "SIGXFSZ",
    ]);
  });

  test("SIGHUP reloads and does not stop where it means that", () => {
    const from = source();
    const signals = subscribeToSignals(from, () => 0);
    signals.hangupMeans("reload");
    from.send("SIGHUP");
    from.send("SIGHUP");
    assert.equal(signals.reloadRequests.current, 2);
    assert.equal(signals.shutdown.aborted, false);
  });

  for (const meaning of ["stop", "reload"] as const) {
    test(`a SIGHUP from before the command is known means ${meaning} once it is`, () => {
      const from = source();
      const signals = subscribeToSignals(from, () => 0);
      from.send("SIGHUP");
      assert.equal(signals.shutdown.aborted, false);
      assert.equal(signals.reloadRequests.current, 0);
      signals.hangupMeans(meaning);
      assert.equal(signals.shutdown.aborted, meaning === "stop");
      assert.equal(signals.reloadRequests.current, meaning === "reload" ? 1 : 0);
    });
  }

  test("SIGUSR1 asks to reopen log files", () => {
    const from = source();
    const signals = subscribeToSignals(from, () => 0);
    from.send("SIGUSR1");
    assert.equal(signals.reopenLogsRequests.current, 1);
  });

  test("signals for another program stop nothing here, and more of them are listened to", () => {
    const from = source();
    const signals = subscribeToSignals(from, () => 0);
    const passed: string[] = [];
    from.send("SIGUSR1");
    signals.passTo((name) => passed.push(name));
    for (const name of ["SIGTERM", "SIGTERM", "SIGUSR1", "SIGWINCH", "SIGQUIT"] as const) from.send(name);
    assert.deepEqual(passed, ["SIGTERM", "SIGTERM", "SIGUSR1", "SIGWINCH", "SIGQUIT"]);
    assert.equal(signals.shutdown.aborted, false);
    assert.equal(signals.reopenLogsRequests.current, 1);
  });
});
