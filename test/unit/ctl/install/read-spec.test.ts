import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject } from "../../../../src/controlplane/config/json-value.ts";
import { at } from "../../../../src/lifecycle/json-path.ts";
import { profileSpec } from "../../../../src/ctl/install/spec/profiles.ts";
import { readSpec } from "../../../../src/ctl/install/spec/read-spec.ts";
import { profileNames } from "../../../../src/ctl/install/spec/schema.ts";

interface Given {
  readonly sets?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly revision?: string;
}

function read({ sets = [], files = {}, revision }: Given) {
  return readSpec({ files: new Map(Object.entries(files)), sets, revision, release: "0.0.0" });
}

function written(given: Given): JsonObject {
  const result = read(given);
  assert.ok(result.kind === "read", JSON.stringify(result));
  return result.written;
}

function problems(given: Given): readonly string[] {
  const result = read(given);
  return result.kind === "refused" ? result.problems : [];
}

const operator = (spec: string): string =>
  `apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata:\n  name: mine\nspec:\n${spec}`;

describe("readSpec()", () => {
  for (const name of profileNames)
    test(`takes the profile ${name} as it is`, () => {
      assert.deepEqual(written({ sets: [`profile=${name}`] }), profileSpec(name, "0.0.0"));
    });

  test("lays files over the profile, and what is set over files", () => {
    const files = {
      "a.yaml": operator("  profile: minimal\n  tag: a\n  hub: from-a\n"),
      "b.yaml": "tag: b\ncomponents:\n  pilot:\n    k8s:\n      replicaCount: 4\n",
    };
    const spec = written({ files, sets: ["tag=c"], revision: "canary" });
    assert.equal(spec["profile"], "minimal");
    assert.equal(spec["hub"], "from-a");
    assert.equal(spec["tag"], "c");
    assert.equal(spec["revision"], "canary");
    assert.equal(at(spec, "components", "pilot", "k8s", "replicaCount"), 4);
    assert.equal(at(spec, "components", "pilot", "enabled"), true);
  });

  test("joins gateways by their names, and by their places where they have none", () => {
    const file = operator(
      "  components:\n    ingressGateways:\n      - name: edge\n        enabled: true\n        label: {istio: edge}\n",
    );
    const spec = written({
      files: { "a.yaml": file },
      sets: ["components.ingressGateways[0].enabled=false"],
    });
    const gateways = at(spec, "components", "ingressGateways") as readonly JsonObject[];
    assert.deepEqual(
      gateways.map(({ name, enabled }) => [name, enabled]),
      [
        ["istio-ingressgateway", false],
        ["edge", true],
      ],
    );
  });

  test("--set reaches each place of a list, and leaves none open", () => {
    const second = "components.ingressGateways[1]";
    const sets = [`${second}.name=edge`, `${second}.enabled=true`];
    const gateways = at(written({ sets }), "components", "ingressGateways") as readonly JsonObject[];
    assert.deepEqual(
      gateways.map(({ name, enabled }) => [name, enabled]),
      [
        ["istio-ingressgateway", true],
        ["edge", true],
      ],
    );
    assert.equal(problems({ sets: ["components.pilot.k8s.tolerations[1].key=x"] }).length, 1);
  });

  const typed = [
    ["text that looks like a number", "tag=1.10", ["tag"], "1.10"],
    ["text that looks like a truth", "hub=true", ["hub"], "true"],
    ["a number", "components.pilot.k8s.replicaCount=3", ["components", "pilot", "k8s", "replicaCount"], 3],
    ["a truth", "components.pilot.enabled=false", ["components", "pilot", "enabled"], false],
    ["a value with =", "meshConfig.accessLogFile=/a=b", ["meshConfig", "accessLogFile"], "/a=b"],
    [
      "a name with dots",
      "components.pilot.k8s.nodeSelector.example\\.com/a=b",
      ["components", "pilot", "k8s", "nodeSelector", "example.com/a"],
      "b",
    ],
    ["Istio's chart", "values.pilot.replicaCount=5", ["components", "pilot", "k8s", "replicaCount"], 5],
    ["Istio's registry", "values.global.hub=reg.example", ["hub"], "reg.example"],
  ] as const;
  for (const [name, set, path, expected] of typed)
    test(`--set takes ${name}`, () => {
      assert.deepEqual(at(written({ sets: [set] }), ...path), expected);
    });

  test("1.5's switch of a gateway is one", () => {
    const spec = written({
      sets: ["profile=minimal", "values.gateways.istio-ingressgateway.enabled=true"],
    });
    const [gateway] = at(spec, "components", "ingressGateways") as readonly JsonObject[];
    assert.equal(gateway?.["enabled"], true);
  });

  test("tells all that is wrong at once, with where it is and what was meant", () => {
    const given = {
      sets: [
        "profle=demo",
        "profile=dmo",
        "a",
        "a..b=c",
        "components.pilot.enabled=maybe",
        "components.pilot.k8s.resources.limits.memory=much",
        "values.global.istioNamespace=mesh",
      ],
      files: {
        "a.yaml": operator("  components:\n    pilot:\n      k8s:\n        replicas: 3\n"),
        "b.yaml": "kind: Service\nmetadata: {}\n",
        "c.yaml": "{",
      },
      revision: "A_B",
    };
    assert.deepEqual(problems(given), [
      "a.yaml:9: components.pilot.k8s.replicas: is not known here: known are replicaCount, resources, env, nodeSelector, tolerations, affinity, priorityClassName, podAnnotations",
      "b.yaml:1: kind: must be IstioOperator",
      ...problems({ files: { "c.yaml": "{" } }),
      "--set profle=demo: profle: is not known here: did you mean profile?",
      "--set profile=dmo: profile: must be one of default, demo, minimal, empty",
      "--set a: is not PATH=VALUE, such as profile=demo",
      '--set a..b=c: "a..b" is no path such as components.ingressGateways[0].enabled',
      "--set components.pilot.enabled=maybe: components.pilot.enabled: must be true or false",
      "--set components.pilot.k8s.resources.limits.memory=much: components.pilot.k8s.resources.limits.memory: must be a quantity such as 500m or 128Mi",
      "--set values.global.istioNamespace=mesh: values.global.istioNamespace: must be istio-system: the control plane's certificate has no name in another namespace",
      "--revision: revision: must be a revision: small letters, digits and -, at most 40",
    ]);
    assert.equal(problems({ files: { "c.yaml": "{" } }).length, 1);
  });

  test("checks the mesh's settings as the control plane does", () => {
    assert.deepEqual(problems({ sets: ["meshConfig.accesLogFile=/dev/stdout"] }), [
      "meshConfig: accesLogFile: is not known here: did you mean accessLogFile?",
    ]);
    // No pod would be injected.
    assert.deepEqual(problems({ sets: ["meshConfig.defaultConfig.concurrency=many"] }), [
      'meshConfig: defaultConfig: concurrency: "many" is not a whole number',
    ]);
  });

  test("knows the installation by the file's name", () => {
    const named = read({ files: { "a.yaml": operator("  profile: minimal\n") } });
    const unnamed = read({});
    assert.ok(named.kind === "read" && unnamed.kind === "read");
    assert.deepEqual([named.name, unnamed.name], ["mine", "outrider"]);
  });
});
