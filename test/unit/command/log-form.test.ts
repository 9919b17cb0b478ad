import assert from "node:assert/strict";
import { test } from "node:test";
import { asksForJson } from "../../../src/command/log-form.ts";

for (const [line, expected] of [
  ["proxy sidecar", false],
  ["proxy --log_as_json", true],
  ["proxy --log_as_json sidecar", true],
  ["proxy --log_as_json=T --nonsense", true],
  ["proxy --log_as_json=false", false],
  ["proxy --log_as_json false", false],
  ["proxy --log_as_json --log_as_json=0", false],
  ["proxy --log_as_json=maybe", false],
  ["run -- app --log_as_json", false],
] as const) {
  test(`${line} ${expected ? "asks" : "does not ask"} for lines of JSON`, () => {
    assert.equal(asksForJson(line.split(" ")), expected);
  });
}
