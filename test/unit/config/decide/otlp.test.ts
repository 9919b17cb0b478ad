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

  test("goes by gRPC to an endpoint as it stands, without a path, in plain text where that is said", () => {
    const grpc = { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" };
    for (const [given, insecure, url] of [
      ["http://collector:4317", "false", "http://collector:4317"],
      ["https://collector:4317/v1/traces", "true", "https://collector:4317"],
      ["https://collector", "false", "https://collector"],
      ["collector:4317", "", "https://collector:4317"],
      ["collector:4317", "true", "http://collector:4317"],
      ["[fd00::1]:4317", "true", "http://[fd00::1]:4317"],
    ] as const) {
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: given, OTEL_EXPORTER_OTLP_INSECURE: insecure, ...grpc };
      const { traces, metrics } = read(env).otlp ?? {};
      assert.deepEqual([traces?.url, metrics?.url], [url, url], given);
      assert.equal(traces?.protocol, "grpc");
    }
    const mixed = read({ ...endpoint, OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "grpc" }).otlp;
    assert.equal(mixed?.traces?.url, "http://collector:4318/v1/traces");
    assert.equal(mixed.metrics?.url, "http://collector:4318");
  });

  test("has no metadata that is gRPC's own, or that HTTP/2 cannot carry", () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4317",
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_EXPORTER_OTLP_HEADERS: "Api-Key=abc,grpc-timeout=1S,connection=close,name=%C3%A9",
    };
    assert.deepEqual(read(env).otlp?.traces?.headers, { "api-key": "abc" });
    assert.deepEqual(
      warningsOf(env),
      ["grpc-timeout", "connection", "name"].map(
        (name) => `OTEL_EXPORTER_OTLP_HEADERS: the header "${name}" cannot be sent, and is left out`,
      ),
    );
  });

  test("has what is set for one signal in the place of what is set for both", () => {
    const { traces, metrics } =
      read({
        ...endpoint,
        OTEL_EXPORTER_OTLP_TIMEOUT: "2000",
        OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "3000",
        OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
        OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: "none",
        OTEL_EXPORTER_OTLP_CERTIFICATE: "/ca.pem",
        OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: "/traces.pem",
        OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE: "/cert.pem",
        OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY: "/key.pem",
      }).otlp ?? {};
    assert.deepEqual([traces?.timeoutMs, metrics?.timeoutMs], [3_000, 2_000]);
    assert.deepEqual([traces?.compression, metrics?.compression], ["gzip", "none"]);
    assert.deepEqual(traces?.tls, {
      rootPath: "/traces.pem",
      certificatePath: undefined,
      keyPath: undefined,
    });
    assert.deepEqual(metrics?.tls, {
      rootPath: "/ca.pem",
      certificatePath: "/cert.pem",
      keyPath: "/key.pem",
    });
  });

  for (const [what, env, warning] of [
    [
      "an endpoint that is no URL",
      { OTEL_EXPORTER_OTLP_ENDPOINT: "user:secret@collector" },
      "OTEL_EXPORTER_OTLP_ENDPOINT is no URL such as http://collector:4318: nothing is exported to it",
    ],
    [
      "an endpoint that gRPC could not take either",
      { OTEL_EXPORTER_OTLP_ENDPOINT: "user:secret@collector", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
      "OTEL_EXPORTER_OTLP_ENDPOINT is no URL such as http://collector:4317: nothing is exported to it",
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
      'OTEL_EXPORTER_OTLP_PROTOCOL: "carrier-pigeon" is not http/protobuf, http/json or grpc; using http/protobuf',
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
