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

/** What a merge gives, with nothing decoded. */
function laid(...layers: ProxyConfigLayer[]): {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly origin: (name: string) => string | undefined;
  readonly warnings: readonly string[];
  readonly problems: readonly string[];
} {
  const problems: ConfigProblem[] = [];
  const { fields, origins, warnings } = mergeProxyConfig(layers, problems);
  return {
    fields,
    origin: (name) => origins.get(name),
    warnings,
    problems: problems.map(describeProblem),
  };
}

const text = (source: string, values: unknown): ProxyConfigLayer => ({
  source,
  path: "",
  text: JSON.stringify(values),
});

describe("a layer of ProxyConfig", () => {
  test("that is empty leaves the defaults, each told as one", () => {
    const { fields, origin, warnings, problems } = laid(
      { source: "PROXY_CONFIG", path: "", text: " \n" },
      { source: "mesh", path: "defaultConfig", text: "defaultConfig:\n" },
      { source: "mesh", path: "defaultConfig", text: "trustDomain: example.org" },
      { source: "mesh", path: "defaultConfig", text: "[1]" },
    );
    assert.deepEqual([warnings, problems], [[], []]);
    assert.equal(fields["statusPort"], 15020);
    assert.equal(origin("statusPort"), "default");
    assert.equal(fields["concurrency"], undefined);
    assert.equal(origin("concurrency"), undefined);
  });

  test("whose ProxyConfig is no mapping is refused by its path, and the next one counts", () => {
    const { fields, problems } = laid(
      { source: "mesh", path: "defaultConfig", text: "defaultConfig: [1]" },
      text("PROXY_CONFIG", { statusPort: 1 }),
    );
    assert.deepEqual(problems, ["mesh: defaultConfig: must be a mapping of ProxyConfig fields"]);
    assert.equal(fields["statusPort"], 1);
  });

  test("gives each value its source, and each key of what is merged by key", () => {
    const { fields, origin } = laid(
      text("first", { proxyMetadata: { A: "a", B: "b" }, proxyHeaders: { server: { disabled: true } } }),
      text("second", { proxyMetadata: { B: "c" }, proxyHeaders: { requestId: { disabled: true } } }),
      text("third", { tracing: { sampling: 5 } }),
      text("fourth", { tracing: { maxPathTagLength: 7 } }),
    );
    assert.deepEqual(fields["proxyMetadata"], { A: "a", B: "c" });
    assert.deepEqual(Object.keys(fields["proxyHeaders"] as object), ["server", "requestId"]);
    assert.deepEqual(fields["tracing"], { maxPathTagLength: 7 }, "replaced as a whole");
    assert.deepEqual(
      ["proxyMetadata.A", "proxyMetadata.B", "proxyMetadata", "tracing", "tracing.sampling"].map(origin),
      ["first", "second", undefined, "fourth", undefined],
    );
  });

  test("of a flag is laid into the message that is there, however deep", () => {
    const flag = (source: string, fields: Readonly<Record<string, unknown>>): ProxyConfigLayer => ({
      source,
      fields,
      isPartial: true,
    });
    const { fields } = laid(
      text("PROXY_CONFIG", { tracing: { zipkin: { address: "z:1" }, sampling: 5 }, concurrency: 2 }),
      flag("--lightstepAddress", { tracing: { lightstep: { address: "l:1" } } }),
      flag("--lightstepAccessToken", { tracing: { lightstep: { accessToken: "t" } } }),
      flag("--concurrency", { concurrency: 3 }),
    );
    assert.deepEqual(fields["tracing"], {
      zipkin: { address: "z:1" },
      sampling: 5,
      lightstep: { address: "l:1", accessToken: "t" },
    });
    assert.equal(fields["concurrency"], 3);
    const whole = laid(text("PROXY_CONFIG", { tracing: { sampling: 5 } }), {
      source: "annotation",
      fields: { tracing: { maxPathTagLength: 7 } },
    });
    assert.deepEqual(whole.fields["tracing"], { maxPathTagLength: 7 });
  });

  test("that sets one field of a choice clears the others, and no further field", () => {
    const named = laid(
      text("first", { serviceCluster: "web", concurrency: 2 }),
      text("second", { tracingServiceName: "CANONICAL_NAME_ONLY" }),
    );
    assert.equal(named.fields["serviceCluster"], undefined);
    assert.equal(named.fields["tracingServiceName"], "CANONICAL_NAME_ONLY");
    assert.equal(named.fields["concurrency"], 2);
    const again = laid(
      text("first", { tracingServiceName: "CANONICAL_NAME_ONLY" }),
      text("second", { serviceCluster: "web" }),
    );
    assert.deepEqual(
      [again.fields["serviceCluster"], again.fields["tracingServiceName"]],
      ["web", undefined],
    );
    const other = laid(text("first", { serviceCluster: "web" }), text("second", { concurrency: 2 }));
    assert.equal(other.fields["serviceCluster"], "web");
  });

  test("is told of each unknown field, and of a number of them beyond twenty", () => {
    const unknown = (count: number): Readonly<Record<string, number>> =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`zzzzzzzz${at}`, 1]));
    const twenty = laid(text("PROXY_CONFIG", unknown(20)));
    assert.equal(twenty.warnings.length, 20);
    assert.match(twenty.warnings[0] ?? "", /^PROXY_CONFIG: zzzzzzzz0 is not a known field.*; ignored$/);
    const more = laid(text("PROXY_CONFIG", unknown(23)));
    assert.equal(more.warnings.length, 21);
    assert.equal(more.warnings.at(-1), "PROXY_CONFIG: 3 more fields are not known; ignored");
    const [long = ""] = laid(text("PROXY_CONFIG", { ["z".repeat(500)]: 1 })).warnings;
    assert.match(long, /^PROXY_CONFIG: z{120} is not/);
  });

  test("has a problem for each wrong value, and a number of them beyond twenty", () => {
    const wrong = (count: number): unknown => ({ extraStatTags: Array.from({ length: count }, () => ({})) });
    const twenty = laid(text("PROXY_CONFIG", wrong(20)));
    assert.equal(twenty.problems.length, 20);
    assert.match(twenty.problems[0] ?? "", /^PROXY_CONFIG: extraStatTags\[0\]: /);
    const more = laid(text("PROXY_CONFIG", wrong(24)));
    assert.equal(more.problems.length, 21);
    assert.equal(more.problems.at(-1), "PROXY_CONFIG: 4 more values are wrong");
  });

  test("out of range harms nobody where a stronger one replaces the field", () => {
    const weak = text("weak", { statusPort: 70_000, tracing: { maxPathTagLength: 2 ** 40 } });
    assert.deepEqual(
      laid(weak).problems.map((problem) => problem.split(": ").slice(0, 2)),
      [
        ["weak", "statusPort"],
        ["weak", "tracing.maxPathTagLength"],
      ],
    );
    const strong = text("strong", { statusPort: 1, tracing: { maxPathTagLength: 7 } });
    const both = laid(weak, strong);
    assert.deepEqual(both.problems, []);
    assert.equal(both.fields["statusPort"], 1);
    assert.deepEqual(laid(strong, weak).problems.length, 2);
    assert.deepEqual(laid(weak, text("strong", { statusPort: 1 })).problems.length, 1);
  });
});
