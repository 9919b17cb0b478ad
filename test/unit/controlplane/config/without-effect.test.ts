/** A field that is read and does nothing here is told: its object is taken, with a warning. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stringify } from "yaml";
import { parseDocuments } from "../../../../src/controlplane/config/parse-documents.ts";
import { objectWith } from "../../../support/istio-objects.ts";

const patch = "spec.configPatches[0]";

const rows: readonly (readonly [
  kind: "EnvoyFilter" | "Telemetry",
  path: string,
  value: unknown,
  reason: RegExp,
])[] = [
  ["EnvoyFilter", `${patch}.applyTo`, "BOOTSTRAP", /has its bootstrap from its agent/],
  ["EnvoyFilter", `${patch}.applyTo`, "EXTENSION_CONFIG", /not served by themselves/],
  ["EnvoyFilter", `${patch}.match.context`, "WAYPOINT", /no waypoints/],
  ["EnvoyFilter", `${patch}.match.listener.portName`, "http", /give portNumber/],
  ["Telemetry", "spec.tracing[0].disableContextPropagation", true, /passes the context of a trace on/],
];

describe("a field without effect", () => {
  for (const [kind, path, value, reason] of rows) {
    test(`${kind}: ${path} ${String(value)}`, () => {
      const { objects, problems } = parseDocuments("a.yaml", stringify(objectWith(kind, path, value)));
      assert.equal(objects.length, 1);
      assert.deepEqual(
        problems.map((problem) => [problem.path, problem.severity]),
        [[path, "warning"]],
      );
      assert.match(problems[0]?.message ?? "", /^has no effect here/);
      assert.match(problems[0]?.message ?? "", reason);
    });
  }
});
