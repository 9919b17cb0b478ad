import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  emptyIndex,
  modulePath,
  readIndex,
  type StoreIndex,
  withoutModules,
  writeIndex,
} from "../../../src/wasm/store/store-index.ts";
import { formatOf } from "../../../src/wasm/unpack/format.ts";
import { chooseName } from "../../../src/wasm/unpack/tar.ts";

const hex = (letter: string): string => letter.repeat(64);
const index: StoreIndex = {
  modules: { [modulePath(hex("a"), hex("1"))]: hex("e"), [modulePath(hex("b"), hex("2"))]: hex("f") },
  pulled: {
    "oci://x/a:v1": { checksum: hex("1"), resourceVersions: { plugin: "7" } },
    "oci://x/b:v1": { checksum: hex("2"), resourceVersions: {} },
  },
};

test("the index is read as it was written", () => {
  assert.deepEqual(readIndex(writeIndex(index)), index);
  assert.deepEqual(readIndex(writeIndex(emptyIndex)), emptyIndex);
});

test("an index that names anything but modules is damaged", () => {
  const wrong = [
    "",
    "{",
    { modules: { "../x.wasm": hex("e") } },
    { modules: { [`/${modulePath(hex("a"), hex("1"))}`]: hex("e") } },
    { modules: { [modulePath(hex("a"), hex("1"))]: "short" } },
    { pulled: { x: { checksum: "../../x", resourceVersions: {} } } },
    { pulled: { x: { checksum: hex("1"), resourceVersions: { a: 1 } } } },
    { pulled: { x: null } },
  ];
  for (const text of wrong)
    assert.equal(readIndex(typeof text === "string" ? text : JSON.stringify(text)), undefined);
  fc.assert(fc.property(fc.json(), (text) => void readIndex(`{"modules":${text},"pulled":${text}}`)));
});

test("what is gone is forgotten, with what led to it", () => {
  const left = withoutModules(index, new Set([modulePath(hex("a"), hex("1"))]));
  assert.deepEqual(Object.keys(left.modules), [modulePath(hex("b"), hex("2"))]);
  assert.deepEqual(Object.keys(left.pulled), ["oci://x/b:v1"]);
});

test("formatOf() goes by the first bytes", () => {
  const tar = Buffer.alloc(512);
  tar.write("ustar", 257);
  const formats = {
    wasm: Buffer.from("0061736d01000000ff", "hex"),
    component: Buffer.from("0061736d0d000100", "hex"),
    gzip: Buffer.from("1f8b08", "hex"),
    zstd: Buffer.from("28b52ffd00", "hex"),
    tar,
  };
  for (const [format, head] of Object.entries(formats)) assert.equal(formatOf(head), format);
  for (const head of ["", "00", "0061736d", "0061736d010000", "3c68746d6c3e"])
    assert.equal(formatOf(Buffer.from(head, "hex")), "unknown", head);
});

test("chooseName() prefers plugin.wasm, then a name of Wasm, then the first", () => {
  assert.equal(chooseName(["a", "b.wasm", "x/plugin.wasm"], false), "x/plugin.wasm");
  assert.equal(chooseName(["a", "b.wasm"], false), "b.wasm");
  assert.equal(chooseName(["a", "b"], false), "a");
  assert.equal(chooseName([], false), undefined);
  assert.equal(chooseName(["a", "b.wasm"], true), undefined);
  assert.equal(chooseName(["not-plugin.wasm", "./plugin.wasm"], true), "./plugin.wasm");
});
