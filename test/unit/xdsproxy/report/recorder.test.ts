import assert from "node:assert/strict";
import { test } from "node:test";
import { Recorder } from "../../../../src/xdsproxy/report/recorder.ts";

const exchange = {
  typeUrl: "cluster",
  stream: 1,
  source: "control plane",
  version: "v1",
  nonce: "n",
  names: ["a"],
  resources: 1,
  removed: [],
  bytes: 10,
} as const;

test("an exchange is pending until Envoy answers it", () => {
  const recorder = new Recorder();
  const first = recorder.sent(exchange);
  const second = recorder.sent({ ...exchange, nonce: "n2" });
  recorder.answered("cluster", first, 1.26, undefined);
  recorder.answered("cluster", second, 2, "no such filter");
  recorder.sent({ ...exchange, typeUrl: "listener" });
  assert.deepEqual(
    recorder
      .exchanges()
      .map(({ typeUrl, outcome, latencyMs, error }) => [typeUrl, outcome, latencyMs, error]),
    [
      ["cluster", "acked", 1.3, undefined],
      ["cluster", "nacked", 2, "no such filter"],
      ["listener", "pending", undefined, undefined],
    ],
  );
});

test("the last fifty of each type are kept, of small ones", () => {
  const recorder = new Recorder();
  for (let index = 0; index < 60; index += 1) {
    recorder.sent(exchange);
    recorder.sent({ ...exchange, typeUrl: "listener" });
  }
  const kept = recorder.exchanges();
  assert.equal(kept.length, 100);
  assert.equal(kept[0]?.number, 21);
});

test("what is kept has a bound, whatever comes", () => {
  const recorder = new Recorder();
  const text = "x".repeat(100_000);
  for (let type = 0; type < 100; type += 1) {
    for (let index = 0; index < 100; index += 1) {
      const number = recorder.sent({
        ...exchange,
        nonce: "n",
        typeUrl: `type ${type}`,
        version: text,
        names: Array.from({ length: 1_000 }, () => text),
        removed: Array.from({ length: 1_000 }, () => text),
      });
      recorder.answered(`type ${type}`, number, 1, text);
    }
  }
  const kept = recorder.exchanges();
  assert.ok(JSON.stringify(kept).length < 1_500_000, `${JSON.stringify(kept).length} characters are kept`);
  for (const { version, names, removed, error = "" } of kept) {
    assert.equal(names.length, 20);
    assert.equal(removed.length, 20);
    for (const part of [version, error, ...names, ...removed]) assert.ok(part.length <= 1_025);
  }
});
