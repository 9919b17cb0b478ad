import assert from "node:assert/strict";
import { test } from "node:test";
import { freePorts } from "../../../src/net/free-ports.ts";

test("a free port is none of Istio's, which a sidecar beside it would find taken", async () => {
  const ports = await freePorts(3, 14_999);
  assert.ok(
    ports.every((port) => port < 15_000 || port > 15_099),
    ports.join(),
  );
});

test("after the last port the search goes on with the lowest, and each is found once", async () => {
  for (const start of [31_999, 32_000]) {
    const ports = await freePorts(300, start);
    assert.equal(new Set(ports).size, 300);
    assert.ok(
      ports.every((port) => port >= 10_000 && port <= 31_999),
      ports.join(),
    );
  }
});
