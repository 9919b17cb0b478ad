import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  assert as check,
  boolean,
  constantFrom,
  dictionary,
  integer,
  property,
  record,
  string,
  uniqueArray,
} from "fast-check";
import type { JsonObject } from "../../../../src/controlplane/config/json-value.ts";
import { difference, overlaid } from "../../../../src/ctl/install/spec/overlay.ts";
import { profileSpec } from "../../../../src/ctl/install/spec/profiles.ts";
import { profileNames } from "../../../../src/ctl/install/spec/schema.ts";

describe("overlaid()", () => {
  test("joins mappings, and takes the place of everything else", () => {
    const under = { a: { b: 1, c: [1, 2] }, d: "x" };
    assert.deepEqual(overlaid(under, { a: { c: [3] }, e: true }), { a: { b: 1, c: [3] }, d: "x", e: true });
  });

  test("what is set to nothing stays as it was", () => {
    assert.deepEqual(overlaid({ a: 1 }, { a: null }), { a: 1 });
  });
});

describe("difference()", () => {
  const gateway = record(
    {
      name: constantFrom("istio-ingressgateway", "edge", "inner"),
      enabled: boolean(),
      k8s: record({ replicaCount: integer({ min: 1, max: 9 }) }),
    },
    { requiredKeys: ["name"] },
  );
  const layer = record(
    {
      tag: string(),
      meshConfig: dictionary(constantFrom("a", "b"), integer()),
      components: record(
        {
          pilot: record({ enabled: boolean() }),
          ingressGateways: uniqueArray(gateway, { selector: ({ name }) => name }),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  );

  test("laid over the profile it is what was laid over it", () => {
    check(
      property(constantFrom(...profileNames), layer, layer, (name, first, second) => {
        const profile = profileSpec(name, "0.0.0");
        const whole = overlaid(overlaid(profile, first), second) as JsonObject;
        assert.deepEqual(overlaid(profile, difference(profile, whole)), whole);
      }),
    );
  });

  test("has nothing of the profile's own", () => {
    const profile = profileSpec("demo", "0.0.0");
    assert.deepEqual(difference(profile, profile), {});
  });
});
