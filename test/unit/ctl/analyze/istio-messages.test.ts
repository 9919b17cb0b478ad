/** Each of Istio's analysis messages that configuration alone can bring about: what brings it about, and what does not. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stringify } from "yaml";
import { inputsOf } from "../../../../src/ctl/analyze/inputs.ts";
import { findingsOf } from "../../../../src/ctl/analyze/finding.ts";
import { istioMessages } from "../../../../src/controlplane/config/analysis/istio-messages.ts";
import { clusterRows } from "./cluster-rows.ts";
import { istioRows } from "./istio-rows.ts";
import { kubernetesRows } from "./kubernetes-rows.ts";

const rows = [...istioRows, ...kubernetesRows, ...clusterRows];

function told(objects: readonly object[]): readonly string[] {
  const text = objects.map((object) => stringify(object)).join("---\n");
  const { problems } = inputsOf(new Map([["mesh.yaml", text]]), []);
  return findingsOf(problems, () => text).map(
    ({ code = "", level, object = "", line, path }) =>
      `${level} ${code} ${object} ${line > 0 ? "at a line" : "nowhere"} ${path}`,
  );
}

describe("Istio's message", () => {
  for (const { code, what, bad, good, at } of rows)
    test(`${code}: ${what}`, () => {
      const level = istioMessages[code]?.level;
      const isOfCode = (line: string): boolean => line.split(" ")[1] === code;
      const found = told(bad).filter(isOfCode);
      assert.ok(found.length > 0, `nothing of ${code} in ${JSON.stringify(told(bad))}`);
      assert.deepEqual([...new Set(found.map((line) => line.split(" ")[0]))], [at.level ?? level]);
      assert.ok(
        found.some((line) => line.endsWith(`${at.object} at a line ${at.path}`)),
        JSON.stringify(found),
      );
      assert.deepEqual(told(good).filter(isOfCode), []);
    });

  test("has a row for each code that is told", () => {
    // What is compared of several clusters has a test of its own.
    const codes = new Set([...rows.map(({ code }) => code), "IST0170"]);
    assert.deepEqual(
      Object.keys(istioMessages).filter((code) => !codes.has(code)),
      [],
    );
    assert.ok(codes.size >= 40, `${codes.size}`);
  });
});
