/** What is wrong with values and settings of the mesh is told with its field, all at once, and costs nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readProxyConfig } from "../../../../src/config/proxy-config/injected.ts";
import { readInjectionSettings } from "../../../../src/controlplane/inject/settings.ts";

const read = (values: object, defaultConfig: object = {}) =>
  readInjectionSettings({
    values: values as Record<string, unknown>,
    mesh: { defaultConfig: defaultConfig as Record<string, unknown> },
    release: "1.0.0",
    readProxyConfig,
  });

test("every value that is of another kind is told, and counts as if it were left out", () => {
  const { settings, problems } = read(
    {
      global: {
        hub: ["x"],
        logAsJson: "perhaps",
        imagePullSecrets: [{ name: "x" }],
        proxy: { statusPort: -1, resources: 5, readinessPeriodSeconds: "15" },
      },
      pilot: { env: { ENABLE_NATIVE_SIDECARS: "sometimes" } },
      sidecarInjectorWebhook: {
        neverInjectSelector: [{ matchExpressions: [{ key: "a", operator: "Like" }] }],
        templates: { go: "spec: {{ x }}", list: "[]", broken: "a: [" },
      },
    },
    { concurrency: "many" },
  );
  assert.deepEqual(problems.map(({ path }) => path).toSorted(), [
    "defaultConfig: concurrency",
    "global.hub",
    "global.imagePullSecrets[0]",
    "global.logAsJson",
    "global.proxy.resources",
    "global.proxy.statusPort",
    "pilot.env.ENABLE_NATIVE_SIDECARS",
    "sidecarInjectorWebhook.neverInjectSelector[0]",
    "sidecarInjectorWebhook.templates.broken",
    "sidecarInjectorWebhook.templates.go",
    "sidecarInjectorWebhook.templates.list",
  ]);
  assert.equal(settings.values.proxy.statusPort, 15_020);
  assert.equal(settings.values.proxy.readiness.periodSeconds, 15);
  assert.match(problems.find(({ path }) => path.endsWith(".go"))?.message ?? "", /is a Go template/);
});

test("values of Istio's chart that say nothing of injection are passed over", () => {
  assert.deepEqual(
    read({ global: { waypoint: { resources: {} }, ipFamilies: [] }, meshConfig: {} }).problems,
    [],
  );
});
