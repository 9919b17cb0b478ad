import assert from "node:assert/strict";
import { test } from "node:test";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import * as fc from "fast-check";
import { mayHoldWasm } from "../../../src/wasm/marks.ts";
import { type Edit, editField, replaceField } from "../../../src/xds/wire-edit.ts";

type Field = readonly [number: number, value: string | number];

function message(...fields: readonly Field[]): Buffer {
  const writer = new BinaryWriter();
  for (const [number, value] of fields) {
    if (typeof value === "number") writer.tag(number, WireType.Varint).uint32(value);
    else writer.tag(number, WireType.LengthDelimited).string(value);
  }
  return Buffer.from(writer.finish());
}

test("editField() touches the occurrences of one field and leaves all else, in its order", () => {
  const before = message([1, "a"], [2, "x"], [9, 7], [2, "y"], [300, "z"], [2, "w"]);
  const edits: Readonly<Record<string, Edit>> = {
    x: { kind: "keep" },
    y: { kind: "replace", value: Buffer.from("longer than it was") },
    w: { kind: "drop" },
  };
  const seen: string[] = [];
  const after = editField(before, 2, (index, value) => {
    const text = Buffer.from(value).toString();
    seen.push(`${index}${text}`);
    return edits[text] ?? { kind: "keep" };
  });
  assert.deepEqual(seen, ["0x", "1y", "2w"]);
  assert.deepEqual(after, message([1, "a"], [2, "x"], [9, 7], [2, "longer than it was"], [300, "z"]));
});

test("a message in which nothing is edited stays as it is, whatever is in it", () => {
  const value = fc.oneof(fc.string(), fc.nat());
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 5_000 }), value)), (fields) => {
      const bytes = message(...fields);
      assert.deepEqual(
        editField(bytes, 2, () => ({ kind: "keep" })),
        bytes,
      );
    }),
  );
});

test("replaceField() replaces the first occurrence, and what is no message is an error", () => {
  assert.deepEqual(
    replaceField(message([2, "a"], [2, "b"]), 2, Buffer.from("c")),
    message([2, "c"], [2, "b"]),
  );
  assert.deepEqual(replaceField(message([1, "a"]), 2, Buffer.from("c")), message([1, "a"]));
  assert.throws(() => replaceField(Buffer.from("0aff", "hex"), 2, Buffer.from("c")));
});

test("mayHoldWasm() sees the type of a Wasm filter in a view of other bytes", () => {
  const bytes = Buffer.from("..type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm..");
  assert.ok(mayHoldWasm(bytes));
  assert.ok(!mayHoldWasm(bytes.subarray(0, 40)));
  assert.ok(mayHoldWasm(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)));
});
