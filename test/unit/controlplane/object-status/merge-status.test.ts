import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { mergeStatus } from "../../../../src/controlplane/object-status/merge-status.ts";
import type { WantedStatus } from "../../../../src/controlplane/object-status/status.ts";

const now = new Date("2026-02-01T00:00:00.250Z");
const earlier = "2026-01-01T00:00:00Z";
const later = "2026-02-01T00:00:00Z";

const reconciled = (isTrue: boolean): WantedStatus => ({
  kind: "istio",
  generation: 2,
  conditions: [{ type: "Reconciled", isTrue, reason: "Any", message: "" }],
  messages: [],
});

const said = (status: "True" | "False", lastTransitionTime: string) => ({
  ...{ type: "Reconciled", status, reason: "Any", message: "" },
  lastTransitionTime,
});

const parentRef = { group: "gateway.networking.k8s.io", kind: "Gateway", name: "edge" };
const ours = "istio.io/gateway-controller";
const theirs = { parentRef, controllerName: "example.com/other", conditions: [{ type: "Accepted" }] };
const accepted = {
  ...{ type: "Accepted", status: "True", reason: "Accepted", message: "" },
  ...{ lastTransitionTime: earlier, observedGeneration: 1 },
};
const attached: WantedStatus = {
  kind: "route",
  generation: 1,
  parents: [
    {
      parentRef: { name: "edge" },
      conditions: [{ type: "Accepted", isTrue: true, reason: "Accepted", message: "" }],
    },
  ],
};

describe("the status of an object", () => {
  test("has the time at which it turned, and another generation turns nothing", () => {
    const existing = { conditions: [said("True", earlier)], observedGeneration: 1 };
    assert.deepEqual(mergeStatus(existing, reconciled(true), now), {
      conditions: [said("True", earlier)],
      observedGeneration: 2,
      validationMessages: [],
    });
    assert.deepEqual(mergeStatus(existing, reconciled(false), now)?.["conditions"], [said("False", later)]);
  });

  test("keeps conditions of other types in their places", () => {
    const other = { type: "Other", status: "Unknown" };
    const existing = { conditions: [other, said("False", earlier)] };
    assert.deepEqual(mergeStatus(existing, reconciled(true), now)?.["conditions"], [
      other,
      said("True", later),
    ]);
  });

  test("is none to write where it says all, whatever else is in it", () => {
    const existing = { conditions: [said("True", earlier)], observedGeneration: "2", other: 1 };
    assert.equal(mergeStatus(existing, reconciled(true), now), undefined);
  });

  test("of a route has other controllers' parents as they are, and ours once", () => {
    const own = { parentRef, controllerName: ours, conditions: [accepted] };
    assert.deepEqual(mergeStatus({ parents: [theirs] }, attached, new Date(earlier)), {
      parents: [theirs, own],
    });
    assert.equal(mergeStatus({ parents: [theirs, own] }, attached, now), undefined);
    assert.deepEqual(mergeStatus({ parents: [own, theirs] }, { ...attached, parents: [] }, now), {
      parents: [theirs],
    });
    assert.equal(mergeStatus({}, { ...attached, parents: [] }, now), undefined);
  });
});
