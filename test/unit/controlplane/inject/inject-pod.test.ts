/** Pods with their sidecars: a golden file for each behaviour, and what holds for all of them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { applyPatch } from "rfc6902";
import { jsonPatch } from "../../../../src/controlplane/inject/json-patch.ts";
import { injected, injectionCases } from "../../../support/injection.ts";
import { compactJson, matchesGolden } from "../../../support/golden.ts";
import { withPod } from "../../../support/with-pod.ts";

const cases = injectionCases();

describe("a pod with its sidecar", () => {
  for (const each of cases) {
    test(each.name.replaceAll("-", " "), (t) => {
      const { from: _, ...outcome } = injected(each);
      matchesGolden(t, `inject/${each.name}.json`, outcome, (value) => compactJson(value));
    });
  }

  test("is the same when it is injected again", () => {
    for (const each of cases) {
      const once = injected(each);
      if (once.kind !== "injected") continue;
      const again = injected({ ...each, object: withPod(each.object, once.pod) });
      assert.equal(again.kind, "injected", each.name);
      assert.deepEqual(again.kind === "injected" && again.pod, once.pod, each.name);
    }
  });

  test("is what the patch makes of the pod", () => {
    for (const each of cases) {
      const { from, ...outcome } = injected(each);
      if (outcome.kind !== "injected") continue;
      const patched = structuredClone(from);
      assert.deepEqual(
        applyPatch(patched, [...jsonPatch(from, outcome.pod)]).filter((error) => error !== null),
        [],
      );
      assert.deepEqual(patched, outcome.pod, each.name);
    }
  });
});
