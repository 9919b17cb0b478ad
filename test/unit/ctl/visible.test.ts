import assert from "node:assert/strict";
import { test } from "node:test";
import { inlineRouteWords } from "../../../src/ctl/proxy/views/route-words.ts";
import { table } from "../../../src/ctl/table.ts";
import { visible } from "../../../src/ctl/visible.ts";

test("what moves a cursor, turns text or begins a line is shown in JSON's notation, and all else as it is", () => {
  assert.equal(
    visible("a\u001B[2J\r\nb\u009B1m\u202Ec\u2028"),
    String.raw`a\u001b[2J\u000d\u000ab\u009b1m\u202ec\u2028`,
  );
  assert.equal(visible("✔ grün\t日本"), "✔ grün\t日本");
});

test("a cell makes no row of its own", () => {
  assert.deepEqual(
    table(
      [
        ["NAME", "STATE"],
        ["a\nb SYNCED", "STALE"],
      ],
      1,
    ),
    ["NAME            STATE", String.raw`a\u000ab SYNCED STALE`],
  );
});

test("a table has any number of rows", () => {
  assert.equal(table(Array.from({ length: 300_000 }, () => ["a", "b"])).length, 300_000);
});

test("a route that is none is shown as one without conditions", () => {
  assert.equal(inlineRouteWords({ virtual_hosts: [{ domains: ["*"], routes: [null] }] }), "Inline Route: ");
});
