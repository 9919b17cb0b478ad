import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { passingObstacle } from "../../../../src/envoy/supervision/starts.ts";

describe("passingObstacle()", () => {
  const notStarted = (code: string | undefined) =>
    ({ kind: "not-started", message: `spawn /opt/EMFILE/envoy ${code ?? ""}`, code }) as const;

  for (const code of ["EMFILE", "ENFILE", "EAGAIN", "ENOMEM"]) {
    test(`${code} may pass`, () => {
      assert.equal(passingObstacle(notStarted(code)), `spawn /opt/EMFILE/envoy ${code}`);
    });
  }

  test("what is wrong with the binary does not, whatever its path is called", () => {
    for (const code of ["ENOENT", "EACCES", undefined])
      assert.equal(passingObstacle(notStarted(code)), undefined);
  });

  test("nor does an Envoy that has run", () => {
    assert.equal(passingObstacle({ kind: "exited", code: 1 }), undefined);
    assert.equal(passingObstacle(undefined), undefined);
  });
});
