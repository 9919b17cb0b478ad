/** What is installed: a golden file for each profile and for each setting that changes more than a field. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { stringify } from "yaml";
import { writtenResources } from "../../../../src/controlplane/registry/kubernetes/resources.ts";
import type { JsonObject } from "../../../../src/controlplane/config/json-value.ts";
import { commands } from "../../../../src/cli/commands.ts";
import { programOf } from "../../../../src/cli/program.ts";
import { readCommandLine } from "../../../../src/command/command-line.ts";
import { at, listAt, textAt } from "../../../../src/lifecycle/json-path.ts";
import { ManifestError } from "../../../../src/ctl/install/render/manifest-error.ts";
import { readManifests } from "../../../../src/ctl/install/render/manifests.ts";
import { render } from "../../../../src/ctl/install/render/render.ts";
import { readSpec } from "../../../../src/ctl/install/spec/read-spec.ts";
import { goldenText } from "../../../support/golden.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

const manifests = readManifests(join(import.meta.dirname, "../../../../docker/kubernetes"));

function rendered(...sets: readonly string[]): readonly JsonObject[] {
  const read = readSpec({ files: new Map(), sets, release: "0.0.0" });
  assert.ok(read.kind === "read", JSON.stringify(read));
  return render({ ...read, release: "0.0.0" }, manifests);
}

const names = (objects: readonly JsonObject[]): readonly string[] =>
  objects.map((object) => `${textAt(object, "kind") ?? ""} ${textAt(object, "metadata", "name") ?? ""}`);

const behaviours: Readonly<Record<string, readonly string[]>> = {
  default: [],
  demo: ["profile=demo"],
  minimal: ["profile=minimal"],
  "revision-canary": ["profile=minimal", "revision=canary", "components.base.enabled=false"],
  settings: [
    ...["profile=empty", "components.pilot.enabled=true", "hub=registry.example/mesh/", "tag=1.10"],
    ...["meshConfig.accessLogFile=/dev/stdout", "components.pilot.k8s.replicaCount=3"],
    ...["components.pilot.k8s.resources.requests.cpu=2", "components.pilot.k8s.nodeSelector.disk=ssd"],
    ...["components.pilot.k8s.env[0].name=A", "components.pilot.k8s.env[0].value=true"],
    ...[
      "components.pilot.k8s.tolerations=[{key: a, operator: Exists}]",
      "values.global.imagePullSecrets[0]=pull",
    ],
    ...["values.global.imagePullPolicy=Always", "components.pilot.k8s.podAnnotations.example\\.com/a=b"],
    ...["components.ingressGateways[0].enabled=true", "components.ingressGateways[0].namespace=edge"],
    ...["components.ingressGateways[0].k8s.service.type=NodePort"],
    ...["components.ingressGateways[0].k8s.serviceAnnotations.example\\.com/lb=internal"],
  ],
};

describe("render()", () => {
  for (const [name, sets] of Object.entries(behaviours)) {
    test(`${name} is as its golden file`, (t) => {
      const text = rendered(...sets)
        .map((object) => `---\n${stringify(object, { aliasDuplicateObjects: false })}`)
        .join("");
      goldenText(t, `install/${name}.yaml`, text);
    });
  }

  test("empty has nothing", () => {
    assert.deepEqual(rendered("profile=empty"), []);
  });

  test("defines every kind of Istio's that the control plane follows, and no other", () => {
    const defined = rendered()
      .filter(({ kind }) => kind === "CustomResourceDefinition")
      .map((object) => textAt(object, "metadata", "name"));
    const followed = writtenResources
      .filter(({ group }) => group.endsWith(".istio.io"))
      .map(({ plural, group }) => `${plural}.${group}`);
    assert.deepEqual(new Set(defined), new Set(followed));
    assert.equal(defined.length, followed.length);
  });

  test("starts the programs with command lines that they take", async () => {
    const program = programOf(commands);
    const containers = [rendered("profile=demo"), rendered("profile=minimal", "revision=canary")]
      .flat()
      .filter(({ kind }) => kind === "Deployment")
      .flatMap((object) => listAt(object, "spec", "template", "spec", "containers"));
    assert.equal(containers.length, 4);
    for (const container of containers) {
      const words = listAt(container, "args").map(String);
      const invocation = await readCommandLine(words, program);
      assert.deepEqual(invocation.kind === "run" ? invocation.args.unknown : [], []);
      assert.equal(invocation.kind, "run", `${words.join(" ")}\n${JSON.stringify(invocation)}`);
    }
  });

  test("no two revisions share an object but for what is of no revision, and for the gateways", () => {
    const own = (...sets: readonly string[]): readonly string[] =>
      names(
        rendered("profile=minimal", ...sets).filter(
          (object) => at(object, "metadata", "labels", "istio.io/rev") !== undefined,
        ),
      );
    const [first, second] = [own(), own("revision=canary")];
    assert.deepEqual(
      second.filter((name) => first.includes(name)),
      [],
    );
    assert.ok(second.includes("Service istiod-canary"), second.join());
  });

  test("each object says whose it is", () => {
    for (const object of rendered("profile=demo")) {
      const labels = at(object, "metadata", "labels");
      assert.equal(textAt(labels, "app.kubernetes.io/managed-by"), "outriderctl");
      assert.equal(textAt(labels, "app.kubernetes.io/instance"), "outrider");
      assert.equal(textAt(labels, "app.kubernetes.io/version"), "0.0.0");
      // A namespace with a revision's label is injected.
      const isShared = textAt(labels, "app.kubernetes.io/component") === "Base";
      assert.equal(textAt(labels, "istio.io/rev"), isShared ? undefined : "default");
    }
  });

  test("comes in the order in which it can be applied", () => {
    const kinds = [...new Set(rendered("profile=demo").map(({ kind }) => kind))];
    assert.deepEqual(kinds.slice(0, 3), ["Namespace", "CustomResourceDefinition", "ServiceAccount"]);
    assert.equal(kinds.at(-1), "ValidatingWebhookConfiguration");
  });

  test("a release without its manifests says so", () => {
    using folder = temporaryFolder();
    assert.throws(() => readManifests(folder.path), ManifestError);
    assert.throws(
      () =>
        render(
          { name: "a", spec: { components: { pilot: { enabled: true } } }, given: {}, release: "0.0.0" },
          { ...manifests, controlPlane: [] },
        ),
      /have no Service istiod\. Install it anew/,
    );
  });
});
