/** Which applications are asked for their metrics. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseConfig } from "../../../../src/config/parse-config.ts";
import { ConfigError, describeProblem } from "../../../../src/schema/config-problem.ts";
import { configSources, type SourceChanges } from "../../../support/config-sources.ts";

const merges = { ISTIO_META_ENABLE_PROMETHEUS_MERGE: "true" };

function annotated(
  annotations: Readonly<Record<string, string>>,
  env: Record<string, string> = {},
): SourceChanges {
  const lines = Object.entries(annotations).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return { env, files: { "./etc/istio/pod/annotations": lines.join("\n") } };
}

function injected(value: unknown): SourceChanges {
  return { env: { ISTIO_PROMETHEUS_ANNOTATIONS: JSON.stringify(value) } };
}

const prometheus = {
  "prometheus.io/scrape": "true",
  "prometheus.io/port": "8080",
  "prometheus.io/path": "/m",
};

describe("applications whose metrics are merged", () => {
  const cases: readonly (readonly [name: string, changes: SourceChanges, targets: readonly string[]])[] = [
    ["are none unless told", {}, []],
    ["are on Istio's default port and path", injected({ scrape: "true" }), ["80/metrics"]],
    [
      "are where the injector says",
      injected({ scrape: "", port: "8080", path: "stats?x=1" }),
      ["8080/stats?x=1"],
    ],
    ["are none where scrape is false", injected({ scrape: "false", port: "8080" }), []],
    [
      "may be several",
      injected({ port: "7", targets: [{ port: "8080" }, { port: "9090", path: "/b" }] }),
      ["8080/metrics", "9090/b"],
    ],
    ["are none where the variable is empty", { env: { ISTIO_PROMETHEUS_ANNOTATIONS: "" } }, []],
    ["are not what an annotation says that nobody merges", annotated(prometheus), []],
    ["are what it says where metrics are merged", annotated(prometheus, merges), ["8080/m"]],
    [
      "are what the injector says over that",
      annotated(prometheus, { ...merges, ISTIO_PROMETHEUS_ANNOTATIONS: '{"port":"9090"}' }),
      ["9090/metrics"],
    ],
    [
      "are not the agent, to which the injector sends Prometheus",
      annotated({ ...prometheus, "prometheus.io/port": "15020" }, merges),
      [],
    ],
    [
      "are none where the pod wants none",
      annotated({ ...prometheus, "prometheus.istio.io/merge-metrics": "false" }, merges),
      [],
    ],
    [
      "may be a list in an annotation",
      annotated({ ...prometheus, "prometheus.istio.io/scrape-targets": "1:/a, 2" }, merges),
      ["1/a", "2/metrics"],
    ],
    [
      "are none where the mesh wants none",
      {
        env: { ISTIO_META_ENABLE_PROMETHEUS_MERGE: "false", ISTIO_PROMETHEUS_ANNOTATIONS: '{"port":"9090"}' },
      },
      [],
    ],
    [
      "are the flag's as well",
      { ...injected({ port: "1" }), flags: { metricsTargets: "2:/b,1" } },
      ["1/metrics", "2/b"],
    ],
    [
      "are a sidecar's",
      { ...injected({ port: "1" }), proxyType: "router", flags: { metricsTargets: "2" } },
      ["2/metrics"],
    ],
  ];
  for (const [name, changes, targets] of cases) {
    test(name, () => {
      const { scrape } = parseConfig(configSources(changes));
      assert.deepEqual(
        scrape.targets.map(({ port, path }) => `${port}${path}`),
        targets,
      );
    });
  }

  const wrong: readonly (readonly [name: string, changes: SourceChanges, problem: RegExp])[] = [
    ["no JSON", { env: { ISTIO_PROMETHEUS_ANNOTATIONS: "{" } }, /ISTIO_PROMETHEUS_ANNOTATIONS.*is not JSON/],
    ["no port", injected({ port: "http" }), /port "?http"? with path/],
    ["a port out of range", injected({ targets: [{ port: "65536" }] }), /targets\[0\].*65536/],
    ["a path that would break a line", injected({ port: "1", path: '/a"\n' }), /is no place of metrics/],
    ["the status port", injected({ port: "15020" }), /15020 is the status port/],
    ["a port of Envoy's", injected({ port: "15090" }), /15090 is reserved/],
    [
      "a port of Envoy's in the flag",
      { flags: { metricsTargets: "15000" } },
      /--metricsTargets.*15000 is reserved/,
    ],
    ["no list", { flags: { metricsTargets: "a" } }, /--metricsTargets.*is not a list/],
    [
      "an annotation's port",
      annotated({ ...prometheus, "prometheus.io/port": "x" }, merges),
      /prometheus.io\/port.*"?x"?/,
    ],
    ["look-around", { flags: { metricsDrop: "(?=a)" } }, /--metricsDrop.*regular expression of RE2/],
    ["a reference", { flags: { metricsKeep: "(a)\\1" } }, /--metricsKeep.*regular expression of RE2/],
    ["no expression", { flags: { metricsKeep: "(" } }, /--metricsKeep.*regular expression of RE2/],
  ];
  for (const [name, changes, problem] of wrong) {
    test(`${name} is refused`, () => {
      assert.throws(
        () => parseConfig(configSources(changes)),
        (error: unknown) => {
          assert.ok(error instanceof ConfigError);
          assert.match(error.problems.map(describeProblem).join("\n"), problem);
          return true;
        },
      );
    });
  }
});
