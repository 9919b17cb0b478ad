import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AgentConfig } from "../../../../src/config/agent-config.ts";
import { parseConfig } from "../../../../src/config/parse-config.ts";
import { configSources } from "../../../support/config-sources.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

function read(env: Record<string, string>): AgentConfig {
  return parseConfig(configSources({ env }));
}

function warningsOf(env: Record<string, string>): readonly string[] {
  const before = new Set(read({}).warnings);
  return read(env).warnings.filter((warning) => !before.has(warning));
}

describe("the export of telemetry", () => {
  test("is none unless an endpoint is set, and none where it is switched off", () => {
    assert.equal(read({}).otlp, undefined);
    assert.equal(read({ OTEL_EXPORTER_OTLP_HEADERS: "a=b" }).otlp, undefined);
    assert.equal(read({ ...endpoint, OTEL_SDK_DISABLED: "true" }).otlp, undefined);
    const none = { OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "prometheus" };
    assert.equal(read({ ...endpoint, ...none }).otlp, undefined);
  });

  test("goes below one endpoint, or to one of each signal as it stands", () => {
    const { traces, metrics } = read({ OTEL_EXPORTER_OTLP_ENDPOINT: "https://collector/otlp" }).otlp ?? {};
    assert.equal(traces?.url, "https://collector/otlp/v1/traces");
    assert.equal(metrics?.url, "https://collector/otlp/v1/metrics");
    const own = read({ ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://traces:1/x" }).otlp;
    assert.equal(own?.traces?.url, "http://traces:1/x");
    assert.equal(own.metrics?.url, "http://collector:4318/v1/metrics");
    const alone = read({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://metrics:1" }).otlp;
    assert.equal(alone?.traces, undefined);
    assert.equal(alone?.metrics?.url, "http://metrics:1/");
  });

  test("has the headers, the protocol and the attributes of the specification", () => {
    const { traces, metrics, resource } =
      read({
        ...endpoint,
        OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Bearer%20abc%3D, x-team=mesh",
        OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-team=traces",
        OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "http/json",
        OTEL_RESOURCE_ATTRIBUTES: "service.name=passed-over,team=a%2Cb",
        OTEL_SERVICE_NAME: "web",
      }).otlp ?? {};
    assert.deepEqual(traces?.headers, { authorization: "Bearer abc=", "x-team": "traces" });
    assert.deepEqual(metrics?.headers, { authorization: "Bearer abc=", "x-team": "mesh" });
    assert.deepEqual([traces.protocol, metrics.protocol], ["http/protobuf", "http/json"]);
    assert.equal(resource?.["service.name"], "web");
    assert.equal(resource["team"], "a,b");
    assert.equal(read(endpoint).otlp?.resource["service.name"], "outrider");
  });

  for (const [what, env, warning] of [
    [
      "an endpoint that is no URL",
      { OTEL_EXPORTER_OTLP_ENDPOINT: "user:secret@collector" },
      "OTEL_EXPORTER_OTLP_ENDPOINT is no URL such as http://collector:4318: nothing is exported to it",
    ],
    [
      "grpc",
      { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
      "OTEL_EXPORTER_OTLP_PROTOCOL: nothing is exported by grpc: the agent's own telemetry goes by HTTP alone, use http/protobuf and the endpoint's port for it, 4318",
    ],
  ] as const) {
    test(`is none, with a warning that is said once, for ${what}`, () => {
      assert.equal(read(env).otlp, undefined);
      assert.deepEqual(warningsOf(env), [warning]);
    });
  }

  test("is what the rest says where a value cannot be used, with a warning without the value of a header", () => {
    const env = {
      ...endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: "carrier-pigeon",
      OTEL_EXPORTER_OTLP_HEADERS: "secret-token,b%ZZ=1,good=1,bad name=2,split=a%0Ab",
    };
    const { traces } = read(env).otlp ?? {};
    assert.equal(traces?.protocol, "http/protobuf");
    assert.deepEqual(traces.headers, { good: "1" });
    const escaped = "is not key=value with what a URL has no place for escaped";
    assert.deepEqual(warningsOf(env), [
      'OTEL_EXPORTER_OTLP_PROTOCOL: "carrier-pigeon" is not http/protobuf or http/json; using http/protobuf',
      `OTEL_EXPORTER_OTLP_HEADERS: entry 1 ${escaped}`,
      `OTEL_EXPORTER_OTLP_HEADERS: entry 2 ${escaped}`,
      'OTEL_EXPORTER_OTLP_HEADERS: the header "bad name" cannot be sent, and is left out',
      'OTEL_EXPORTER_OTLP_HEADERS: the header "split" cannot be sent, and is left out',
    ]);
  });

  test("keeps no agent from starting: a number that is of no use is a warning, an empty one is none", () => {
    const numbers = {
      OTEL_EXPORTER_OTLP_TIMEOUT: "0",
      OTEL_METRIC_EXPORT_INTERVAL: "99999999999",
      OTEL_SDK_DISABLED: "",
    };
    assert.equal(read({ ...endpoint, ...numbers }).otlp?.traces?.timeoutMs, 10_000);
    assert.equal(read({ ...endpoint, ...numbers }).otlp?.metricsIntervalMs, 60_000);
    assert.deepEqual(warningsOf(numbers), [
      'OTEL_EXPORTER_OTLP_TIMEOUT: "0" is not from 1 to 2147483647; using 10000',
      'OTEL_METRIC_EXPORT_INTERVAL: "99999999999" is not from 1 to 2147483647; using 60000',
    ]);
  });
});
