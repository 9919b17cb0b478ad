import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDocuments } from "../../../../src/controlplane/config/parse-documents.ts";
import {
  entryName,
  entryOf,
  type Machine,
  type WorkloadGroup,
  whyNotOf,
} from "../../../../src/controlplane/registry/auto-registration/machine.ts";

function group(spec: string): WorkloadGroup {
  const text = `
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: {name: web, namespace: demo}
spec: ${spec}
`;
  const { objects, problems } = parseDocuments("mesh.yaml", text);
  assert.deepEqual(problems, []);
  const [object] = objects;
  assert.ok(object?.kind === "WorkloadGroup");
  return object;
}

const machine: Machine = {
  group: "web",
  namespace: "demo",
  serviceAccount: "web",
  address: "10.0.0.7",
  network: "",
  labels: {},
  locality: "",
  isChecked: false,
};

describe("the name of a registered machine's entry", () => {
  const cases: readonly [what: string, changes: Partial<Machine>, name: string][] = [
    ["has the group and the address", {}, "web-10.0.0.7"],
    ["has the network", { network: "office" }, "web-10.0.0.7-office"],
    ["has no colons", { address: "fd00::7" }, "web-fd00--7"],
    [
      "loses its beginning when it is too long",
      { group: "g".repeat(300) },
      `${"g".repeat(253 - "-10.0.0.7".length)}-10.0.0.7`,
    ],
  ];
  for (const [what, changes, name] of cases)
    test(what, () => {
      assert.equal(entryName({ ...machine, ...changes }), name);
    });
});

describe("what stands for a machine", () => {
  const template = `{
    metadata: {labels: {app: web, tier: group}},
    template: {ports: {http: 8080}, labels: {app: template, version: v1}, serviceAccount: web, weight: 3, locality: a/b}
  }`;

  test("is the template with the machine's own address, labels and place", () => {
    const own = { labels: { tier: "own" }, locality: "eu/north" };
    assert.deepEqual(entryOf({ ...machine, ...own }, group(template), true), {
      kind: "WorkloadEntry",
      name: "web-10.0.0.7",
      namespace: "demo",
      source: "mesh.yaml (web, registered by 10.0.0.7)",
      line: 0,
      spec: {
        address: "10.0.0.7",
        ports: { http: 8080 },
        labels: { app: "web", tier: "own", version: "v1" },
        serviceAccount: "web",
        weight: 3,
        locality: "eu/north",
      },
    });
  });

  test("has the template's place where the machine does not say one", () => {
    assert.equal(entryOf(machine, group(template), true).spec.locality, "a/b");
  });

  test("has the proven identity where the template names none, and is called by it", () => {
    assert.equal(entryOf(machine, group("{template: {}}"), true).spec.serviceAccount, "web");
  });

  test("takes no calls while its workload is ill", () => {
    assert.equal(entryOf(machine, group(template), false).isUnhealthy, true);
  });
});

describe("a group", () => {
  test("is for its own service account", () => {
    const ofWeb = group("{template: {serviceAccount: web}}");
    assert.equal(whyNotOf(ofWeb, machine), undefined);
    assert.equal(
      whyNotOf(ofWeb, { ...machine, serviceAccount: "other" }),
      "the WorkloadGroup demo/web is for the service account web, the credential proves other",
    );
  });

  test("that names none is for all of its namespace", () => {
    assert.equal(whyNotOf(group("{template: {}}"), { ...machine, serviceAccount: "other" }), undefined);
  });
});
