/** Rows of what follows from what, and the histories that many begin with. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SupervisionEvent } from "../../../src/envoy/supervision/event.ts";
import { after } from "./histories.ts";
import { asks, go, live, proof, proven, said } from "./say.ts";
import { happen, type World } from "./world.ts";

/** One behaviour. */
export type Row = readonly [
  name: string,
  world: World,
  events: readonly SupervisionEvent[],
  /** What is done after the last of them. */
  effects: readonly string[],
  /** What is shown then. */
  shown: string,
];

/** A test for each. */
export function check(rows: readonly Row[]): void {
  for (const [name, world, events, effects, shown] of rows) {
    test(name, () => {
      const last = events.at(-1);
      assert.ok(last !== undefined);
      const steps = happen(after(world, events.slice(0, -1)), { event: last, afterMs: 10 });
      assert.deepEqual(said(steps.flatMap((step) => step.effects)), effects);
      assert.equal(steps.at(-1)?.after.state.shown.kind, shown);
    });
  }
}

export const hot = [asks(1, "second"), go("hot")];
export const overlap = [asks(1, "second"), go("overlap")];
export const handedOver = [...hot, live(2), proven(2)];
export const overlapped = [...overlap, live(2), proven(2)];
export const neverLive = proof(2, { kind: "never-live", reason: "not LIVE after 30000 ms" });
export const faulty = proof(2, { kind: "faulty", reason: "no certificate" });
export const cancelled = proof(2, { kind: "cancelled", isLive: false });
export const serves = { kind: "timer", timer: { kind: "probation", number: 1 } } as const;
