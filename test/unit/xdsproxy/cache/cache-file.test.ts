import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { decodeCacheFile, encodeCacheFile } from "../../../../src/xdsproxy/cache/cache-file.ts";
import {
  PendingChanges,
  type TypeResources,
  withPending,
} from "../../../../src/xdsproxy/cache/cached-type.ts";
import { resourceOfAny, type WireResource } from "../../../../src/xds/wire-resource.ts";
import { mutate, seeded } from "../../../support/mutate.ts";

/** An Any whose value's first field is the name. */
function resource(name: string, text = ""): WireResource {
  const value = Buffer.concat([
    Buffer.from([0x0a, name.length]),
    Buffer.from(name),
    Buffer.from([0x12, text.length]),
    Buffer.from(text),
  ]);
  return resourceOfAny(Buffer.concat([Buffer.from([0x12, value.length]), value]), "1");
}

const state: TypeResources = {
  version: "v1",
  resources: new Map(["a", "b", "c"].map((name) => [name, resource(name, `cluster ${name}`)])),
};
const file = Buffer.concat([...(await encodeCacheFile("web", "cluster", state))]);

describe("a file of the cache", () => {
  test("gives back what was put into it", () => {
    const read = decodeCacheFile(file, "web");
    assert.equal(read.kind, "read");
    assert.equal(read.typeUrl, "cluster");
    assert.equal(read.state.version, "v1");
    for (const [name, { bytes }] of state.resources)
      assert.deepEqual(Buffer.from(read.state.resources.get(name)?.bytes ?? []), Buffer.from(bytes));
    assert.equal(read.state.resources.size, 3);
  });

  test("may be empty", async () => {
    const empty = Buffer.concat([
      ...(await encodeCacheFile("web", "cluster", { version: "", resources: new Map() })),
    ]);
    const read = decodeCacheFile(empty, "web");
    assert.equal(read.kind === "read" && read.state.resources.size, 0);
  });

  test("of another owner is foreign", () => {
    assert.equal(decodeCacheFile(file, "api").kind, "foreign");
  });

  test("that is cut off anywhere is corrupted", () => {
    for (let length = 0; length < file.length; length += 1)
      assert.equal(decodeCacheFile(file.subarray(0, length), "web").kind, "corrupted", `${length} bytes`);
  });

  test("that is damaged never gives anything else", () => {
    const random = seeded(5);
    for (let round = 0; round < 2_000; round += 1) {
      const read = decodeCacheFile(mutate(file, random), "web");
      if (read.kind === "read") assert.deepEqual(read, decodeCacheFile(file, "web"), `round ${round}`);
    }
  });
});

describe("acknowledged updates", () => {
  const update = { version: "v2", changed: [], removed: [] };

  test("change and remove what is stored", () => {
    const pending = new PendingChanges();
    pending.add({ ...update, full: false, changed: [resource("a", "new"), resource("d")] });
    pending.add({ ...update, full: false, removed: ["b", "d"] });
    const { resources, version } = withPending(state, pending);
    assert.deepEqual([...resources.keys()], ["a", "c"]);
    assert.deepEqual(resources.get("a"), resource("a", "new"));
    assert.equal(version, "v2");
  });

  test("that are full leave nothing of what is stored", () => {
    const pending = new PendingChanges();
    pending.add({ ...update, full: true, changed: [resource("d")] });
    pending.add({ ...update, full: false, changed: [resource("e")] });
    assert.deepEqual([...withPending(state, pending).resources.keys()], ["d", "e"]);
  });

  test("are as large as what is left of them, whatever came", () => {
    const name = fc.constantFrom("a", "b", "c");
    const some = fc.record({
      full: fc.boolean(),
      changed: fc.array(fc.tuple(name, fc.string()).map(([of, text]) => resource(of, text))),
      removed: fc.array(name),
    });
    fc.assert(
      fc.property(fc.array(some), (updates) => {
        const pending = new PendingChanges();
        for (const one of updates) pending.add({ ...update, ...one });
        const left = [...pending.entries.values()].map((one) => one?.bytes.length ?? 0);
        assert.equal(
          pending.bytes,
          left.reduce((sum, bytes) => sum + bytes, 0),
        );
      }),
    );
  });
});
