import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { trustProblem } from "../../../src/files/ownership.ts";

const actor = { uid: 1337, groups: [1337, 2000] };

// What it is, owner, group, mode, what is wrong.
const rows = [
  ["ours alone", 1337, 1337, 0o40700, undefined],
  ["ours, for others to read", 1337, 1337, 0o40755, undefined],
  ["root's", 0, 0, 0o40755, undefined],
  ["a volume with our fsGroup", 0, 2000, 0o42775, undefined],
  ["a folder with the sticky bit", 0, 0, 0o41777, undefined],
  ["another user's", 1000, 1000, 0o40700, /belongs to user 1000/],
  ["another user's with the sticky bit", 1000, 1000, 0o41777, /belongs to user 1000/],
  ["everybody's", 1337, 1337, 0o40777, /everybody may write it \(mode 0777\)/],
  ["root's, for everybody", 0, 0, 0o40777, /everybody may write it/],
  ["for a group that is not ours", 0, 50, 0o40775, /group 50 may write it/],
  ["a file for everybody", 1337, 1337, 0o100666, /everybody may write it \(mode 0666\)/],
] as const;

describe("trustProblem()", () => {
  for (const [name, uid, gid, mode, problem] of rows) {
    test(name, () => {
      const found = trustProblem({ uid, gid, mode }, actor);
      if (problem === undefined) assert.equal(found, undefined);
      else assert.match(found ?? "", problem);
    });
  }
});
