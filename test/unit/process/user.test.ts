import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseUser } from "../../../src/process/user.ts";

function status(uids: string): string {
  return `Name:\tnode\nUid:\t${uids}\nGid:\t1337\t1338\t1337\t1337\nFDSize:\t64\nGroups:\t4 27 \n`;
}

describe("the user of a process", () => {
  test("is the one of all four, with the effective and the supplementary groups", () => {
    assert.deepEqual(parseUser(status("1337\t1337\t1337\t1337")), { uid: 1337, groups: [1338, 4, 27] });
  });

  for (const uids of ["1000\t0\t0\t0", "0\t1000\t0\t1000", "0\t0\t1000\t0", "0", ""]) {
    test(`is nobody's where they are ${JSON.stringify(uids)}`, () => {
      assert.equal(parseUser(status(uids)), undefined);
    });
  }
});
