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
