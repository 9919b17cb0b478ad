/** Signals that mean nothing to a command do not end it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { describe, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { startOutrider } from "../../support/outrider.ts";

const strays = [
  "SIGALRM",
  "SIGVTALRM",
  "SIGPROF",
  "SIGIO",
  "SIGPWR",
  "SIGSTKFLT",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGPIPE",
  "SIGUSR2",
] as const;

/** Signals that the process has a handler for, as a bit mask (proc(5)). */
function caught(pid: number): bigint {
  const [, mask = "0"] = /^SigCgt:\s*(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return BigInt(`0x${mask}`);
}

describe("a command at work", () => {
  test("lives on after every signal that means nothing to it, and stops when it is asked to", async () => {
    await using wait = startOutrider({
      args: ["wait", "--url=http://127.0.0.1:1/", "--timeoutSeconds=120"],
    });
    // SIGXFSZ is the last one that it begins to listen for.
    const last = 1n << BigInt(constants.signals.SIGXFSZ - 1);
    await eventually("it listens", () => assert.notEqual(caught(wait.pid) & last, 0n), {
      withinMs: 20_000,
      everyMs: 10,
    });
    for (const name of strays) {
      wait.kill(name);
      await eventually(
        `${name} is taken`,
        () => {
          const [, pending = ""] =
            /^ShdPnd:\s*(\w+)$/m.exec(readFileSync(`/proc/${wait.pid}/status`, "utf8")) ?? [];
          assert.match(pending, /^0+$/);
        },
        { withinMs: 5_000, everyMs: 2 },
      );
    }
    wait.kill("SIGTERM");
    assert.deepEqual(await wait.exitWithin(10_000), { kind: "exited", code: 143 }, wait.lines.join("\n"));
  });
});
