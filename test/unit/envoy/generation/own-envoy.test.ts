import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { differenceFrom } from "../../../../src/envoy/generation/own-envoy.ts";

const binary = "/usr/bin/envoy";
const marks = { binary, executable: binary, mark: "m-1" };
const bootstrapPath = "etc/generations/3/envoy.json";
const process = {
  executable: binary,
  environment: ["PATH=/bin", "OUTRIDER_GENERATION_MARK=m-1"],
  commandLine: ["envoy", "-c", bootstrapPath],
};

// What it shows, the record, the process, why it is another one.
const rows = [
  ["the Envoy of the record", marks, process, undefined],
  ["another generation's mark", { ...marks, mark: "m-2" }, process, /lacks the mark/],
  ["no mark in the environment", marks, { ...process, environment: ["PATH=/bin"] }, /lacks the mark/],
  ["a mark in another variable", marks, { ...process, environment: ["X=m-1"] }, /lacks the mark/],
  ["a record without a mark", { ...marks, mark: undefined }, process, /lacks the mark/],
  ["another program with the mark", marks, { ...process, executable: "/bin/sleep" }, /runs \/bin\/sleep/],
  [
    "a script that became Envoy",
    { ...marks, executable: "/bin/dash" },
    { ...process, executable: "/opt/envoy" },
    undefined,
  ],
  [
    "a script without the mark",
    { ...marks, executable: "/bin/dash" },
    { ...process, environment: [] },
    /mark/,
  ],
  ["a binary with file capabilities", marks, { ...process, environment: undefined }, undefined],
  [
    "a closed process with another command line",
    marks,
    { ...process, environment: undefined, commandLine: ["envoy", "-c", "etc/generations/4/envoy.json"] },
    /cannot be read/,
  ],
] as const;

describe("the process that a record names", () => {
  for (const [name, record, look, difference] of rows) {
    test(name, () => {
      const found = differenceFrom(record, look, bootstrapPath, binary);
      if (difference === undefined) assert.equal(found, undefined);
      else assert.match(found ?? "", difference);
    });
  }
});
