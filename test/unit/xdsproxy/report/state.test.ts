import assert from "node:assert/strict";
import { test } from "node:test";
import { type TypeState, typeStateAfter } from "../../../../src/xdsproxy/report/state.ts";

test("what passed is counted", () => {
  const events = [
    { kind: "received" },
    { kind: "acked", latencyMs: 1 },
    { kind: "received" },
    { kind: "nacked", error: "bad" },
  ] as const;
  let state: TypeState | undefined;
  for (const event of events) state = typeStateAfter(state, event);
  assert.deepEqual(state, { received: 2, acked: 1, nacked: 1, lastError: "bad" });
});

test("a refusal is remembered until a response is accepted", () => {
  const refused = typeStateAfter(undefined, { kind: "nacked", error: "bad" });
  const received = typeStateAfter(refused, { kind: "received" });
  assert.equal(received.lastError, "bad");
  assert.equal(typeStateAfter(received, { kind: "acked", latencyMs: 1 }).lastError, undefined);
});
