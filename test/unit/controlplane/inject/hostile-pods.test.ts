/** Pods that nobody means well with, or that nobody thought of: whoever may make pods may write anything into them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { annotationForms } from "../../../../src/controlplane/inject/annotations.ts";
import { injectPod, type Injection } from "../../../../src/controlplane/inject/inject-pod.ts";
import { type Fields, readPod } from "../../../../src/controlplane/inject/pod.ts";
import { settingsOf } from "../../../support/injection.ts";

const place = { namespace: "demo", owner: { name: "web", kind: "Pod", apiVersion: "v1" } };

function injectedOf(given: Fields, hasNativeSidecars = false): Injection {
  const pod = readPod(given);
  return "spec" in pod
    ? injectPod(pod, { ...place, hasNativeSidecars }, settingsOf())
    : { kind: "refused", problems: pod };
}

const annotated = (name: string, value: string): Fields => ({
  metadata: { annotations: { [name]: value } },
  spec: { containers: [{ name: "web" }] },
});

describe("a hostile or odd pod", () => {
  test("costs no more than its annotations are long", () => {
    // Whoever tries every way to divide the digits is at it for minutes.
    const digits = "1".repeat(260_000);
    for (const [name, { test: isOne }] of Object.entries(annotationForms))
      assert.equal(typeof isOne(`${digits}x`), "boolean", name);
  });

  test("has as many annotations as Kubernetes takes", () => {
    const outcome = injectedOf(annotated("example.com/notes", "x".repeat(2 ** 18)));
    assert.deepEqual(outcome.kind === "refused" && outcome.problems.map(({ path }) => path), [
      "metadata.annotations",
    ]);
  });

  test("is refused with a reason where its overrides are none", () => {
    for (const container of [
      { env: [null] },
      { env: {} },
      { ports: "x" },
      { volumeMounts: [1] },
      { name: undefined },
    ]) {
      const overrides = { containers: [{ name: "istio-proxy", ...container }] };
      const outcome = injectedOf(annotated("proxy.istio.io/overrides", JSON.stringify(overrides)));
      assert.deepEqual(outcome.kind === "refused" && outcome.problems.map(({ path }) => path), [
        "metadata.annotations.proxy.istio.io/overrides",
      ]);
    }
  });

  test("may have fields that say nothing", () => {
    const nothing = { env: null, ports: null, volumeMounts: null, securityContext: null };
    const outcome = injectedOf({
      spec: {
        initContainers: null,
        containers: [
          { name: "web", ...nothing, readinessProbe: { httpGet: { port: "http" } } },
          { name: "istio-proxy", image: "auto", ...nothing },
        ],
      },
    });
    assert.equal(outcome.kind, "injected");
  });

  test("of Windows is left as it is", () => {
    for (const spec of [{ os: { name: "windows" } }, { nodeSelector: { "kubernetes.io/os": "windows" } }])
      assert.equal(injectedOf({ spec: { ...spec, containers: [{ name: "web" }] } }).kind, "left");
  });

  test("begins where an init container stays and is probed before the sidecar is there", () => {
    const httpGet = { path: "/", port: 9000 };
    const helper = {
      ...{ name: "helper", restartPolicy: "Always", startupProbe: { httpGet }, readinessProbe: { httpGet } },
      lifecycle: { postStart: { httpGet } },
    };
    const given = { spec: { initContainers: [helper], containers: [{ name: "web" }] } };
    const of = (hasNativeSidecars: boolean): Fields & { readonly warnings: number } => {
      const outcome = injectedOf(given, hasNativeSidecars);
      assert.ok(outcome.kind === "injected");
      const made = outcome.pod.spec.initContainers?.find(({ name }) => name === "helper");
      return { ...made, warnings: outcome.warnings.length };
    };
    const { startupProbe, readinessProbe, lifecycle, warnings } = of(false);
    assert.deepEqual(
      { startupProbe, lifecycle },
      { startupProbe: { httpGet }, lifecycle: { postStart: { httpGet } } },
    );
    assert.notDeepEqual(readinessProbe, { httpGet });
    assert.equal(warnings, 2);
    assert.notDeepEqual(of(true)["startupProbe"], { httpGet });
    assert.equal(of(true).warnings, 0);
  });
});
