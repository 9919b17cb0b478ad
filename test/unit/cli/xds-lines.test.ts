import assert from "node:assert/strict";
import { test } from "node:test";
import { exchangeLine, selectExchanges } from "../../../src/cli/xds-lines.ts";
import type { Exchange } from "../../../src/xdsproxy/report/recorder.ts";

const accepted: Exchange = {
  number: 1,
  at: "2026-01-01T00:00:00.000Z",
  typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  stream: 1,
  source: "control plane",
  version: "v1",
  nonce: "n1",
  names: ["a", "b", "c", "d"],
  resources: 10,
  removed: [],
  bytes: 1_234,
  outcome: "acked",
  latencyMs: 1.5,
};
const { latencyMs: _, ...unanswered } = accepted;
const refused: Exchange = {
  ...unanswered,
  number: 2,
  typeUrl: "type.googleapis.com/envoy.config.listener.v3.Listener",
  names: ["web"],
  resources: 1,
  removed: ["old"],
  source: "cache",
  outcome: "nacked",
  error: "no such filter",
};

test("an exchange is one line that tells its type, its outcome and what it held", () => {
  assert.equal(
    exchangeLine(accepted),
    '2026-01-01T00:00:00.000Z  stream 1  Cluster  ACKED 1.5 ms  version "v1"  ' +
      "10 resources, 1234 bytes: a, b, c and 7 more",
  );
  assert.equal(
    exchangeLine(refused),
    '2026-01-01T00:00:00.000Z  stream 1  Listener  NACKED  version "v1"  1 resource, 1234 bytes: web  ' +
      "removed: old  from the cache  no such filter",
  );
});

test("exchanges are selected by a part of their type and by refusal", () => {
  const all = [accepted, refused];
  assert.deepEqual(selectExchanges(all, { type: undefined, nacksOnly: false }), all);
  assert.deepEqual(selectExchanges(all, { type: "cluster", nacksOnly: false }), [accepted]);
  assert.deepEqual(selectExchanges(all, { type: undefined, nacksOnly: true }), [refused]);
  assert.deepEqual(selectExchanges(all, { type: "cluster", nacksOnly: true }), []);
});
