import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { strangerProblem } from "../../../src/cli/agent-arguments.ts";

const groups: readonly number[] = [];

describe("an agent that answers on the status port", () => {
  test("is taken at its word by its own user, and where root started it", () => {
    for (const [agent, caller] of [
      [0, 0],
      [1337, 1337],
      [0, 1337],
    ] as const)
      assert.equal(strangerProblem(7, { uid: agent, groups }, caller), undefined);
  });

  test("chooses no program that another user, root before all, runs", () => {
    for (const caller of [0, 1000])
      assert.match(
        strangerProblem(7, { uid: 65_534, groups }, caller) ?? "",
        new RegExp(
          `pid 7, is user 65534's, and this is user ${caller}: its flags and environment are not used.*--reuid=65534`,
        ),
      );
  });

  test("is a stranger's where nobody can tell whose it is", () => {
    assert.match(strangerProblem(7, undefined, 0) ?? "", /cannot be told/);
  });
});
