/** What is wrong is told once, what is refused first, and not ten thousand lines of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConfigProblem } from "../../../../src/controlplane/config/problem.ts";
import { ToldProblems } from "../../../../src/controlplane/registry/told-problems.ts";
import { testLog } from "../../../support/test-log.ts";

test("of many problems at once a hundred are told, refusals before warnings, and how many more there are", () => {
  const { log, lines } = testLog();
  const told = new ToldProblems(log);
  const problems = Array.from({ length: 150 }, (_, number): ConfigProblem => ({
    ...{ source: `o-${number}`, line: 0, path: "spec", message: "is wrong" },
    ...(number < 149 ? { severity: "warning" as const } : {}),
  }));
  told.tell(problems);
  assert.equal(lines.length, 101);
  assert.match(lines[0] ?? "", /configuration refused.*o-149/);
  assert.match(lines.at(-1) ?? "", /more of the configuration.*50/);
  told.tell(problems);
  assert.equal(lines.length, 101);
});
