import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ConfigProblem, describeProblem } from "../../../../src/schema/config-problem.ts";
import { decodeProxyConfig } from "../../../../src/config/proxy-config/decode.ts";
import { mergeProxyConfig, type ProxyConfigLayer } from "../../../../src/config/proxy-config/merge.ts";

function merge(...layers: ProxyConfigLayer[]): {
  raw: Readonly<Record<string, unknown>>;
  problems: string[];
} {
  const problems: ConfigProblem[] = [];
  const merged = mergeProxyConfig(layers, problems);
  decodeProxyConfig(merged, problems);
  return { raw: merged.fields, problems: problems.map(describeProblem) };
}

describe("ProxyConfig", () => {
  test("has Istio's defaults", () => {
    const config = decodeProxyConfig(mergeProxyConfig([], []), []);
    assert.equal(config.statusPort, 15020);
    assert.equal(config.proxyAdminPort, 15000);
    assert.equal(config.drainDurationMs, 45_000);
    assert.equal(config.terminationDrainDurationMs, 5_000);
    assert.equal(config.discoveryAddress, "istiod.istio-system.svc:15012");
    assert.equal(config.binaryPath, undefined, "the default binary is one of the places to search");
  });

  test("later layers replace fields and merge proxyMetadata key by key", () => {
    const { raw } = merge(
      {
        source: "mesh",
        path: "defaultConfig",
        text: "defaultConfig: {statusPort: 1, proxyMetadata: {A: a, B: b}}",
      },
      { source: "PROXY_CONFIG", path: "", text: '{"proxyMetadata": {"B": "c"}, "concurrency": 2}' },
    );
    assert.equal(raw["statusPort"], 1);
    assert.equal(raw["concurrency"], 2);
    assert.deepEqual(raw["proxyMetadata"], { A: "a", B: "c" });
  });

  test("text that is not YAML is a problem with its place", () => {
    const { problems } = merge({ source: "PROXY_CONFIG", path: "", text: "{statusPort: 15020" });
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", /^PROXY_CONFIG: line 1, column \d+: not valid YAML/);
  });

  test("every wrong field is reported, each by name", () => {
    const text =
      "{statusPort: 70000, proxyAdminPort: x, discoveryAddress: istiod, drainDuration: 10ms, concurrency: -1}";
    const { problems } = merge({ source: "PROXY_CONFIG", path: "", text });
    assert.deepEqual(
      new Set(problems.map((problem) => problem.split(": ")[1])),
      new Set(["drainDuration", "discoveryAddress", "proxyAdminPort", "statusPort", "concurrency"]),
    );
  });

  test("a document that is not a mapping is refused", () => {
    const { problems } = merge({ source: "PROXY_CONFIG", path: "", text: "[1, 2]" });
    assert.deepEqual(problems, ["PROXY_CONFIG: must be a mapping of ProxyConfig fields"]);
  });
});
