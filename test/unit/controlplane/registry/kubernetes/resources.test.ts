/** Every kind that files may hold has its place in a cluster. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pluralOf } from "../../../../../src/controlplane/kubernetes/resource.ts";
import { writtenResources } from "../../../../../src/controlplane/registry/kubernetes/resources.ts";

describe("kinds in a cluster", () => {
  test("are in paths as the API has them", () => {
    const rows = {
      ServiceEntry: "serviceentries",
      AuthorizationPolicy: "authorizationpolicies",
      GatewayClass: "gatewayclasses",
      Gateway: "gateways",
      HTTPRoute: "httproutes",
      Ingress: "ingresses",
    };
    // A y after a vowel stays.
    for (const [kind, plural] of Object.entries(rows)) assert.equal(pluralOf(kind), plural);
  });

  test("may be missing where they are not Kubernetes' own, and of these Secrets may be refused", () => {
    const own = writtenResources.filter(({ group }) => group === "");
    const refusable = Object.fromEntries(own.map(({ plural, mayBeRefused }) => [plural, mayBeRefused]));
    assert.deepEqual(refusable, { secrets: true, namespaces: undefined });
    for (const { group, isOptional, plural } of writtenResources)
      assert.equal(isOptional, group === "" ? undefined : true, plural);
  });

  test("keep of an object what it says, without what the server adds to it", () => {
    const rules = writtenResources.find(({ plural }) => plural === "virtualservices");
    const metadata = {
      name: "web",
      namespace: "demo",
      resourceVersion: "5",
      generation: 2,
      uid: "u",
      managedFields: [{ manager: "kubectl" }],
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}", "istio.io/dry-run": "true" },
    };
    const object = { metadata, spec: { hosts: ["web"] }, status: { conditions: [] } };
    const meta = {
      ...{
        name: "web",
        namespace: "demo",
        uid: "u",
        resourceVersion: "5",
        labels: {},
        createdAtMs: undefined,
      },
      annotations: metadata.annotations,
    };
    assert.deepEqual(rules?.keep(object, meta), {
      kind: "VirtualService",
      object: {
        apiVersion: "networking.istio.io/v1",
        kind: "VirtualService",
        metadata: {
          ...{ name: "web", namespace: "demo", generation: 2 },
          annotations: { "istio.io/dry-run": "true" },
        },
        spec: { hosts: ["web"] },
      },
    });
  });
});
