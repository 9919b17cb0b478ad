import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type FoundRecord,
  parseRecord,
  type ProcessRecord,
} from "../../../../src/envoy/generation/process-record.ts";
import { type FoundGeneration, planStrays } from "../../../../src/envoy/generation/strays.ts";
import type { ProcessIdentity } from "../../../../src/process/identity.ts";

const agent = { pid: 10, startTime: 100 };
const envoy = { pid: 11, startTime: 101 };
const record: ProcessRecord = {
  bootId: "this",
  agent,
  envoy,
  binary: "/usr/bin/envoy",
  executable: "/usr/bin/envoy",
  mark: "m",
  baseId: undefined,
  fingerprint: "f",
};

function found(changes: Partial<ProcessRecord> = {}): FoundRecord {
  return { kind: "record", record: { ...record, ...changes } };
}

function alive(...identities: readonly ProcessIdentity[]): (identity: ProcessIdentity) => boolean {
  return ({ pid, startTime }) => identities.some((one) => one.pid === pid && one.startTime === startTime);
}

function plan(
  generations: readonly FoundGeneration[],
  ...living: readonly ProcessIdentity[]
): ReturnType<typeof planStrays> {
  return planStrays(generations, "this", alive(...living));
}

describe("planStrays()", () => {
  test("nothing found, nothing to do", () => {
    assert.deepEqual(plan([]), { kind: "clean", end: [], setAside: [], remove: [], baseIds: [] });
  });

  test("a living agent keeps its folder, whatever else is there", () => {
    const other = { pid: 20, startTime: 200 };
    const generations = [
      { name: "1", found: found({ agent: { pid: 9, startTime: 90 }, envoy: other }) },
      { name: "2", found: found() },
      { name: "3", found: { kind: "corrupt", reason: "it is not an object" } as const },
    ];
    assert.deepEqual(plan(generations, agent, envoy, other), { kind: "in-use", agentPid: 10 });
  });

  test("the living Envoy of a dead agent is ended and its folder removed", () => {
    assert.deepEqual(plan([{ name: "1", found: found() }], envoy), {
      kind: "clean",
      end: [{ name: "1", record }],
      setAside: [],
      remove: ["1"],
      baseIds: [],
    });
  });

  test("pids that others have by now are left alone", () => {
    const reused = [
      { pid: 10, startTime: 900 },
      { pid: 11, startTime: 901 },
    ];
    assert.deepEqual(plan([{ name: "1", found: found() }], ...reused), {
      kind: "clean",
      end: [],
      setAside: [],
      remove: ["1"],
      baseIds: [],
    });
  });

  test("a record of an earlier boot speaks of nobody, not of its shared memory either", () => {
    const generations = [{ name: "1", found: found({ bootId: "earlier", baseId: 3 }) }];
    assert.deepEqual(plan(generations, agent, envoy), {
      kind: "clean",
      end: [],
      setAside: [],
      remove: ["1"],
      baseIds: [],
    });
  });

  test("a base ID is named once for the epochs that share it", () => {
    const generations = ["1", "2"].map((name) => ({ name, found: found({ baseId: 3 }) }));
    const decided = plan(generations);
    assert.deepEqual(decided.kind === "clean" && decided.baseIds, [3]);
  });

  test("a folder without a record goes, one that cannot be read is set aside first", () => {
    const generations: readonly FoundGeneration[] = [
      { name: "1", found: { kind: "missing" } },
      { name: "2", found: { kind: "corrupt", reason: "it is not an object" } },
    ];
    assert.deepEqual(plan(generations), {
      kind: "clean",
      end: [],
      setAside: [{ name: "2", reason: "it is not an object" }],
      remove: ["1", "2"],
      baseIds: [],
    });
  });
});

describe("parseRecord()", () => {
  test("reads what was written, and passes over what it does not know", () => {
    const full = { ...record, baseId: 3, added: "later" };
    assert.deepEqual(parseRecord(JSON.stringify(full)), { kind: "record", record: { ...record, baseId: 3 } });
  });

  for (const [name, text] of [
    ["an empty file", ""],
    ["half a file", JSON.stringify(record).slice(0, 40)],
    ["null", "null"],
    ["a list", "[]"],
    ["no agent", JSON.stringify({ ...record, agent: undefined })],
    ["a pid as text", JSON.stringify({ ...record, envoy: { pid: "11", startTime: 101 } })],
    ["pid 0, a process group", JSON.stringify({ ...record, envoy: { pid: 0, startTime: 101 } })],
    ["pid -1, every process", JSON.stringify({ ...record, envoy: { pid: -1, startTime: 101 } })],
    ["a fraction", JSON.stringify({ ...record, envoy: { pid: 11.5, startTime: 101 } })],
    ["no start time", JSON.stringify({ ...record, envoy: { pid: 11 } })],
    ["no binary", JSON.stringify({ ...record, binary: undefined })],
    ["a mark that is no text", JSON.stringify({ ...record, mark: 4 })],
    ["an executable that is no text", JSON.stringify({ ...record, executable: {} })],
    ["a base ID as a path", JSON.stringify({ ...record, baseId: "../../etc/passwd" })],
    ["a boot that is no text", JSON.stringify({ ...record, bootId: 4 })],
  ] as const) {
    test(`${name} is corrupt`, () => {
      assert.equal(parseRecord(text).kind, "corrupt");
    });
  }
});
