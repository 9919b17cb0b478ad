import assert from "node:assert/strict";
import { test } from "node:test";
import { announced } from "../../../src/status/announced.ts";
import type { Readiness } from "../../../src/status/contract/readiness.ts";
import { testLog } from "../../support/test-log.ts";

test("announced() tells the log of each change, once, with each reason", async () => {
  const { log, lines } = testLog();
  let readiness: Readiness = { ready: false, reason: "Envoy is starting" };
  const probe = announced(async () => readiness, log);
  for (const next of [
    readiness,
    { ready: false, reason: "there is no token since 5 s" },
    { ready: false, reason: "there is no token since 6 s" },
    { ready: true },
    { ready: true, note: "stale" },
    { ready: false, reason: "Envoy is draining" },
  ] as const) {
    readiness = next;
    assert.equal(await probe(), next);
  }
  assert.deepEqual(lines, [
    'warn\tEnvoy proxy is NOT ready\treason="Envoy is starting"',
    'warn\tEnvoy proxy is NOT ready\treason="there is no token since 5 s"',
    "info\tEnvoy proxy is ready",
    'warn\tEnvoy proxy is NOT ready\treason="Envoy is draining"',
  ]);
});
