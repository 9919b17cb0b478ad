/** Which layers there are, and in which order. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { flagLayers, proxyConfigLayers } from "../../../../src/config/proxy-config/layers.ts";
import type { ConfigProblem } from "../../../../src/schema/config-problem.ts";

const annotations = "./etc/istio/pod/annotations";

describe("proxyConfigLayers()", () => {
  test("has mesh config, PROXY_CONFIG and the annotations, the weakest first", () => {
    const problems: ConfigProblem[] = [];
    const layers = proxyConfigLayers(
      { readFile: (path) => (path === "./mesh" ? { kind: "read", text: "mesh" } : { kind: "missing" }) },
      {
        meshConfig: "./mesh",
        proxyConfig: "environment",
        annotations: {
          "proxy.istio.io/config": "annotation",
          "sidecar.istio.io/discoveryAddress": "istiod:1",
          "status.sidecar.istio.io/port": "15030",
        },
      },
      problems,
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(layers, [
      { source: "./mesh", text: "mesh", path: "defaultConfig" },
      { source: "PROXY_CONFIG", text: "environment", path: "" },
      { source: `${annotations}: proxy.istio.io/config`, text: "annotation", path: "" },
      {
        source: `${annotations}: sidecar.istio.io/discoveryAddress`,
        fields: { discoveryAddress: "istiod:1" },
      },
      { source: `${annotations}: status.sidecar.istio.io/port`, fields: { statusPort: "15030" } },
    ]);
  });

  test("has empty ones where there is nothing, and a problem for a file that cannot be read", () => {
    const problems: ConfigProblem[] = [];
    const layers = proxyConfigLayers(
      { readFile: () => ({ kind: "unreadable", message: "EACCES" }) },
      { meshConfig: "./mesh", proxyConfig: "", annotations: undefined },
      problems,
    );
    assert.deepEqual(
      layers.map((layer) => ("text" in layer ? layer.text : layer.fields)),
      ["", "", ""],
    );
    assert.deepEqual(problems, [{ source: "./mesh", path: "", message: "EACCES" }]);
  });
});

describe("flagLayers()", () => {
  test("reads the JSON of a service, and leaves what is none for the merge to refuse", () => {
    const layersOf = (text: string): unknown =>
      flagLayers({ envoyMetricsService: text }).map((layer) => "fields" in layer && layer.fields);
    assert.deepEqual(layersOf('{"address": "m:1"}'), [{ envoyMetricsService: { address: "m:1" } }]);
    assert.deepEqual(layersOf("m:1"), [{ envoyMetricsService: "m:1" }]);
  });

  test("leaves every other text as it is, though it be JSON", () => {
    assert.deepEqual(flagLayers({ statusPort: "15030" }), [
      { source: "--statusPort", fields: { statusPort: "15030" }, isPartial: true },
    ]);
  });

  test("has none for a flag that sets no field", () => {
    assert.deepEqual(flagLayers({ "trust-domain": "example.org", mixerIdentity: "x" }), []);
  });
});
