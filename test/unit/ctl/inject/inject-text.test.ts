/** Files with their sidecars: what has no pods stays as it is written, and so does what people wrote beside pods. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { injectText } from "../../../../src/ctl/inject/inject-text.ts";
import { settingsOf } from "../../../support/injection.ts";

const options = { source: "web.yaml", namespace: "demo", hasNativeSidecars: false };
const inject = (text: string) => injectText(text, settingsOf(), options);

const service = `# A service.
apiVersion: v1
kind: Service
metadata: {name:   web}   # as it was written
`;

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    metadata:
      labels:
        app: web # whose
    spec:
      # What runs.
      containers:
        - name: web
          image: web # pinned elsewhere
`;

describe("a file with its sidecars", () => {
  test("keeps comments and order, and what has no pods to the byte", () => {
    const { text, told, errors } = inject(`${service}---\n${deployment}---\n${service}`);
    assert.deepEqual([told, errors], [[], []]);
    assert.ok(text.startsWith(`${service}---\napiVersion: apps/v1\n`));
    assert.ok(text.endsWith(`---\n${service}`));
    for (const comment of ["app: web # whose", "# What runs.", "image: web # pinned elsewhere"])
      assert.ok(text.includes(comment), comment);
    assert.match(text, /- name: istio-proxy/);
  });

  test("is the same when it is injected again", () => {
    const { text } = inject(`${service}---\n${deployment}`);
    assert.equal(inject(text).text, text);
  });

  test("has a sidecar in every item of a list", () => {
    const item = `  - ${deployment.trimEnd().replaceAll("\n", "\n    ")}\n`;
    const { text } = inject(`apiVersion: v1\nkind: List\nitems:\n${item}${item}`);
    assert.equal(text.match(/name: istio-proxy$/gm)?.length, 2);
  });

  test("stays JSON", () => {
    const object = parseAllDocuments(deployment)[0]?.toJS() as object;
    const { text } = inject(JSON.stringify(object));
    const injected = JSON.parse(text) as { spec: { template: { spec: { containers: object[] } } } };
    assert.equal(injected.spec.template.spec.containers.length, 2);
    assert.equal(inject(text).text, text);
  });

  test("changes nothing else that an alias stands for", () => {
    const both = `${deployment.replace("labels:", "labels: &labels")}      nodeSelector: *labels\n`;
    const { text } = inject(both);
    const object = parseAllDocuments(text)[0]?.toJS() as {
      spec: { template: { spec: { nodeSelector: object } } };
    };
    assert.deepEqual(object.spec.template.spec.nodeSelector, { app: "web" });
  });

  test("is left alone where the Namespace beside it says so, and says why", () => {
    const namespace = (labels: string): string =>
      `apiVersion: v1\nkind: Namespace\nmetadata: { name: demo, labels: { ${labels} } }\n---\n${deployment}`;
    for (const labels of ["istio-injection: disabled", "istio.io/rev: canary"]) {
      const given = namespace(labels);
      const { text, told } = inject(given);
      assert.equal(text, given);
      assert.match(told.join(), /web\.yaml: Deployment demo\/web is left as it is: /);
    }
    assert.match(inject(namespace("istio-injection: enabled")).text, /name: istio-proxy/);
  });

  test("is refused with every place of what is wrong", () => {
    const wrong = deployment.replace(
      "labels:",
      'annotations: { sidecar.istio.io/interceptionMode: X, status.sidecar.istio.io/port: "0x1" }\n      labels:',
    );
    assert.deepEqual(inject(wrong).errors, [
      'web.yaml: Deployment demo/web: spec.template.metadata.annotations.sidecar.istio.io/interceptionMode: is "X": write REDIRECT, TPROXY or NONE',
      'web.yaml: Deployment demo/web: spec.template.metadata.annotations.status.sidecar.istio.io/port: is "0x1": write a port',
    ]);
    assert.deepEqual(inject(`${service}---\na: [\n`).errors.length, 1);
    assert.match(inject(`${service}---\na: [\n`).errors[0] ?? "", /^web\.yaml:7: /);
    assert.match(
      inject(deployment.replace("app: web", "app: 5")).errors[0] ?? "",
      /spec\.template\.metadata\.labels\.app: 5 is no text/,
    );
  });
});
