import assert from "node:assert/strict";
import { test } from "node:test";
import { type XdsState, withTypeEvent } from "../../../src/xdsproxy/state.ts";

const connected: XdsState = { kind: "connected", address: "istiod:15012", since: new Date(0), types: {} };

test("what passed is counted by type", () => {
  const events = [
    ["cluster", { kind: "received" }],
    ["cluster", { kind: "acked", latencyMs: 1 }],
    ["listener", { kind: "received" }],
    ["listener", { kind: "nacked", error: "bad", resources: [] }],
  ] as const;
  let state = connected;
  for (const [typeUrl, event] of events) state = withTypeEvent(state, typeUrl, event);
  assert.deepEqual(state, {
    ...connected,
    types: {
      cluster: { received: 1, acked: 1, nacked: 0 },
      listener: { received: 1, acked: 0, nacked: 1, lastError: "bad" },
    },
  });
});

test("a refusal is remembered until a response of its type is accepted", () => {
  const refused = withTypeEvent(connected, "listener", { kind: "nacked", error: "bad", resources: [] });
  const received = withTypeEvent(refused, "listener", { kind: "received" });
  assert.equal(received.types["listener"]?.lastError, "bad");
  assert.equal(
    withTypeEvent(received, "listener", { kind: "acked", latencyMs: 1 }).types["listener"]?.lastError,
    undefined,
  );
});
