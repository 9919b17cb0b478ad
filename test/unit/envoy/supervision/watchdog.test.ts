import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type Check,
  type HangPolicy,
  judge,
  noSilence,
  type Verdict,
} from "../../../../src/envoy/supervision/watchdog.ts";

const policy: HangPolicy = { intervalMs: 1, timeoutMs: 1, failures: 3, busyFailures: 5 };
const silent = (cpuTicks: number | undefined, isStopped = false): Check => ({
  kind: "silent",
  cpuTicks,
  isStopped,
});

/** The verdict after each check. */
function verdicts(checks: readonly Check[]): readonly Verdict[] {
  let silence = noSilence;
  return checks.map((check) => {
    const verdict = judge(policy, silence, check);
    silence = verdict.kind === "hung" ? noSilence : verdict.silence;
    return verdict;
  });
}

describe("judge()", () => {
  for (const [name, checks, expected] of [
    [
      "an answer clears every silence before it",
      [silent(1), silent(1), { kind: "answered" }, silent(1)],
      "well",
    ],
    ["an idle main thread is hung after the limit", [silent(7), silent(7), silent(7)], "hung"],
    ["one that works is slow at first", [silent(1), silent(2)], "well"],
    ["and busy when it stays silent", [silent(1), silent(2), silent(3), silent(4)], "busy"],
    ["until it answers", [silent(1), silent(2), silent(3), { kind: "answered" }], "well"],
    ["but not for ever", [silent(1), silent(2), silent(3), silent(4), silent(5)], "hung"],
    ["idleness counts anew after work", [silent(1), silent(1), silent(2), silent(2), silent(2)], "hung"],
    [
      "a process without a stat file does nothing",
      [silent(undefined), silent(undefined), silent(undefined)],
      "hung",
    ],
  ] as const) {
    test(name, () => {
      assert.equal(verdicts(checks as readonly Check[]).at(-1)?.kind, expected);
    });
  }

  test("a stopped process is told from one that does nothing", () => {
    const stopped = verdicts([silent(1, true), silent(1, true), silent(1, true)]).at(-1);
    assert.equal(stopped?.kind === "hung" && stopped.isStopped, true);
    const idle = verdicts([silent(1), silent(1), silent(1)]).at(-1);
    assert.equal(idle?.kind === "hung" && idle.isStopped, false);
  });
});
