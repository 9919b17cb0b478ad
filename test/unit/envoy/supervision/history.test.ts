import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type History, withEnd, withState } from "../../../../src/envoy/supervision/history.ts";
import type { Envoy, Phase } from "../../../../src/envoy/supervision/state.ts";
import { launchNamed } from "../../../support/supervision/launches.ts";

function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 12, 0, second));
}

function envoy(number: number, phase: Phase, pid?: number): Envoy {
  return {
    ...{ number, phase, pid, launch: launchNamed("a") },
    ...{ startedAt: 0, lineage: undefined, provenAt: undefined, serves: "nobody", asked: undefined },
    ...{ trial: undefined, isBlind: false, isOrphaned: false, drained: "no" },
  };
}

const starting: Phase = { kind: "starting", waitingFor: "LIVE" };
const serving: Phase = { kind: "serving" };

describe("the history of generations", () => {
  test("has each phase once, with the time at which it began", () => {
    let history: History = [];
    history = withState(history, { envoys: [envoy(1, starting)] }, at(0));
    history = withState(
      history,
      { envoys: [envoy(1, { kind: "starting", waitingFor: "workers" }, 7)] },
      at(1),
    );
    history = withState(history, { envoys: [envoy(1, serving, 7)] }, at(2));
    assert.deepEqual(history, [
      {
        generation: 1,
        pid: 7,
        startedAt: at(0),
        phases: [
          { kind: "starting", at: at(0) },
          { kind: "serving", at: at(2) },
        ],
        end: undefined,
      },
    ]);
    assert.equal(withState(history, { envoys: [envoy(1, serving, 7)] }, at(3)), history);
  });

  test("keeps the dead with their end, beside the one that followed", () => {
    let history = withState([], { envoys: [envoy(1, serving, 7)] }, at(0));
    history = withState(history, { envoys: [] }, at(1));
    const diagnosis = { reason: "signal", message: "Envoy was killed by SIGKILL", exitCode: 137 } as const;
    history = withEnd(history, 1, diagnosis, at(2));
    history = withState(history, { envoys: [envoy(2, starting, 8)] }, at(3));
    assert.deepEqual(
      history.map(({ generation, end }) => [generation, end]),
      [
        [1, { at: at(2), reason: "signal", message: "Envoy was killed by SIGKILL" }],
        [2, undefined],
      ],
    );
  });

  test("is bounded in generations and in phases of each", () => {
    let history: History = [];
    for (let number = 1; number <= 50; number += 1)
      history = withState(history, { envoys: [envoy(number, serving)] }, at(number));
    assert.deepEqual(
      history.map(({ generation }) => generation),
      [39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50],
    );
    for (let turn = 0; turn < 50; turn += 1)
      history = withState(
        history,
        { envoys: [envoy(50, turn % 2 === 0 ? { kind: "hung" } : serving)] },
        at(turn),
      );
    assert.equal(history.at(-1)?.phases.length, 16);
    assert.deepEqual(history.at(-1)?.phases.at(-1), { kind: "serving", at: at(49) });
  });
});
