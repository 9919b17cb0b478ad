/** Deaths by SIGKILL: at random moments, swaps included, and one after the other. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type KillStormFigures, runKillStorm } from "../../support/kill-storm.ts";
import { killServing } from "../../support/kill-again.ts";
import { describeSpread } from "../../support/summary.ts";
import { startWebAndApi } from "../../support/web-and-api.ts";

describe("an Envoy that is killed", () => {
  // Three hundred of them are for `npm run chaos`.
  test("60 times, also while it is swapped: always back, ready only when it serves, and nothing is left behind", async (context) => {
    const storms = await Promise.all([
      runKillStorm({ mode: "overlap", kills: 30, duringSwaps: 0.4 }),
      runKillStorm({ mode: "hot", kills: 30, duringSwaps: 0.3 }),
    ]);
    const plain = storms.flatMap((storm) => storm.plain);
    const serving = plain.map(({ servingMs }) => servingMs);
    const red = plain.flatMap(({ redMs }) => redMs ?? []);
    const back = storms.flatMap((storm) => storm.backMs);
    context.diagnostic(
      `death to unready ${describeSpread(red)}, to the next answer ${describeSpread(serving)}, back ${describeSpread(back)}`,
    );
    for (const storm of storms) assertNothingLeft(storm);
    assert.equal(sum(storms.map(({ kills }) => kills)), 60);
    assert.ok(plain.length > 20, `${plain.length} kills of an Envoy with no swap under way`);
    assert.ok(red.length > 0, "nobody has seen it unready");
    assert.equal(sum(plain.map(({ greenAfterRed }) => greenAfterRed)), 0, "ready again before it is proven");
    assert.equal(sum(storms.map(({ failedWhileGreen }) => failedWhileGreen)), 0, "ready, and nobody served");
    assert.ok(sum(storms.map(({ swaps }) => swaps["swapped"] ?? 0)) > 2, "few swaps came through");
  });

  test("each time after it has served is started again without a delay, whether the control plane answers, is silent or is dead", async (context) => {
    await using mesh = await startWebAndApi({ api: { flags: ["--restartBudget=20"] } });
    const call = async (): Promise<void> => assert.equal((await mesh.call()).status, 200);
    const { controlPlane } = mesh.mesh;
    for (const [state, kills, signal] of [
      ["answers", 10, undefined],
      ["is silent", 2, "SIGSTOP"],
      ["is dead", 2, "SIGKILL"],
    ] as const) {
      if (signal !== undefined) controlPlane.kill(signal);
      const servingMs: number[] = [];
      for (let count = 0; count < kills; count += 1) {
        const again = await killServing(mesh.api, call);
        assert.equal(again.delayMs, 0, `kill ${count + 1} while the control plane ${state}`);
        servingMs.push(again.servingMs);
      }
      context.diagnostic(`the control plane ${state}: serving again after ${servingMs.join(", ")} ms`);
    }
    assert.equal((await mesh.api.report()).xds.state, "stale");
  });
});

function assertNothingLeft({ leaks }: KillStormFigures): void {
  const { grownMiB: _grown, recordings, ...left } = leaks;
  assert.deepEqual(left, {
    openFiles: [],
    zombies: 0,
    paths: [],
    processes: [],
    sharedMemory: [],
    abstractSockets: [],
  });
  assert.ok(recordings <= 5, `${recordings} recordings`);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
