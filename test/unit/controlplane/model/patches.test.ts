/** Which EnvoyFilters are for a proxy. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type PatchSet, patchesFor, patchSet } from "../../../../src/controlplane/model/patches.ts";

const root = "istio-system";
const gateway = { group: "gateway.networking.k8s.io", kind: "Gateway", name: "gw" };

function of(namespace: string, spec: Partial<PatchSet["spec"]>): PatchSet {
  const configPatches = [
    { applyTo: "CLUSTER", patch: { operation: "MERGE", value: { alt_stat_name: "a" } } },
  ] as const;
  return patchSet({ name: "a", namespace, spec: { ...spec, configPatches }, source: "a.yaml", line: 1 });
}

const cases: readonly (readonly [what: string, set: PatchSet, namespaces: readonly string[]])[] = [
  ["of a namespace, for all", of("demo", {}), ["demo"]],
  ["of the root namespace, for all", of(root, {}), ["demo", "other", root]],
  ["of a namespace, for a Gateway", of("demo", { targetRefs: [gateway] }), ["demo"]],
  ["of the root namespace, for a Gateway of its own", of(root, { targetRefs: [gateway] }), [root]],
  ["for another Gateway", of("demo", { targetRefs: [{ ...gateway, name: "other" }] }), []],
];

describe("an EnvoyFilter is for the routers of", () => {
  for (const [what, set, namespaces] of cases) {
    test(`${what}: ${namespaces.join(", ")}`, () => {
      const labels = { "gateway.networking.k8s.io/gateway-name": "gw" };
      const found = ["demo", "other", root].filter(
        (namespace) => patchesFor([set], root, { namespace, labels }).length > 0,
      );
      assert.deepEqual(found, namespaces);
    });
  }
});
