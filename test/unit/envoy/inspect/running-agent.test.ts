import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ProcessRecord } from "../../../../src/envoy/generation/process-record.ts";
import { noAgent as nobody, whoRuns } from "../../../../src/envoy/inspect/running-agent.ts";

describe("whoRuns()", () => {
  const record = (agent: number, envoy: number, boot = "now"): ProcessRecord => ({
    bootId: boot,
    agent: { pid: agent, startTime: 1 },
    envoy: { pid: envoy, startTime: 2 },
    binary: "envoy",
    executable: undefined,
    mark: undefined,
    baseId: undefined,
    fingerprint: undefined,
  });
  const found = (one: ProcessRecord) => ({ kind: "record", record: one }) as const;
  const alive =
    (...pids: readonly number[]) =>
    ({ pid }: { readonly pid: number }) =>
      pids.includes(pid);

  test("tells the agent's Envoys from those of a killed one", () => {
    const records = [
      found(record(7, 8)),
      found(record(7, 9)),
      found(record(3, 4)),
      { kind: "missing" } as const,
    ];
    assert.deepEqual(whoRuns(records, "now", alive(7, 8, 4)), { pid: 7, envoys: [8], strays: [4] });
  });

  test("a record of an earlier boot speaks of nobody", () => {
    assert.deepEqual(whoRuns([found(record(7, 8, "before"))], "now", alive(7, 8)), nobody);
  });
});
