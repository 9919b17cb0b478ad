/** The mesh's settings: from a file or from the ConfigMap that Istio's installation writes, with every problem's line. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { extensionProvider } from "../../../../src/controlplane/config/extension-providers.ts";
import { parseDocuments } from "../../../../src/controlplane/config/parse-documents.ts";
import { parseMeshConfigFile } from "../../../../src/controlplane/config/parse-mesh-config.ts";
import { describeConfigProblem } from "../../../../src/controlplane/config/problem.ts";
import { buildModel } from "../../../../src/controlplane/model/build-model.ts";

const settings = { trustDomains: ["cluster.local"], rootNamespace: "istio-system" };

function problemsOf(...lines: readonly string[]): readonly string[] {
  return parseMeshConfigFile("mesh", lines.join("\n")).problems.map(describeConfigProblem);
}

const provider = (...lines: readonly string[]): readonly string[] =>
  problemsOf("extensionProviders:", "- name: a", ...lines.map((line) => `  ${line}`));

const rows: readonly (readonly [what: string, found: readonly string[], ...problems: string[]])[] = [
  ["nothing", problemsOf("# nothing")],
  [
    "what is for others",
    problemsOf("rootNamespace: istio-system", "defaultConfig: { discoveryAddress: a:1 }"),
  ],
  [
    "a field without effect here",
    problemsOf("enableTracing: true", "h2UpgradePolicy: UPGRADE"),
    "mesh:2: h2UpgradePolicy: has no effect here: this control plane does not act on it",
  ],
  [
    "an unknown field",
    problemsOf("acessLogFile: /dev/stdout"),
    "mesh:1: acessLogFile: is not known here: did you mean accessLogFile?",
  ],
  ["a list", problemsOf("- a"), "mesh:1: must be a mapping"],
  [
    "another encoding",
    problemsOf("accessLogEncoding: XML"),
    "mesh:1: accessLogEncoding: must be one of TEXT, JSON",
  ],
  [
    "two providers of one name",
    problemsOf("extensionProviders:", "- { name: a, prometheus: {} }", "- { name: a, prometheus: {} }"),
    "mesh:3: extensionProviders[1].name: a is there already: make it unique",
  ],
  [
    "a provider of no kind",
    provider(),
    "mesh:2: extensionProviders[0]: needs exactly one of envoyExtAuthzHttp, envoyExtAuthzGrpc, zipkin, datadog, skywalking, opentelemetry, prometheus, stackdriver, envoyFileAccessLog, envoyHttpAls, envoyTcpAls, envoyOtelAls",
  ],
  ["a service", provider("zipkin: { service: zipkin.tracing, port: 9411 }")],
  ["a service of a namespace", provider("envoyOtelAls: { service: tracing/otel.example.com, port: 4317 }")],
  [
    "a wildcard as a service",
    provider('zipkin: { service: "*.tracing", port: 9411 }'),
    "mesh:3: extensionProviders[0].zipkin.service: must be a host name, or namespace/host",
  ],
  [
    "no port",
    provider("zipkin: { service: zipkin.tracing }"),
    "mesh:3: extensionProviders[0].zipkin.port: is missing",
  ],
  [
    "both protocols",
    provider("opentelemetry: { service: otel.tracing, port: 1, http: { path: /v1 }, grpc: {} }"),
    "mesh:3: extensionProviders[0].opentelemetry: may have only one of http and grpc",
  ],
  [
    "a header without a value",
    provider("opentelemetry: { service: otel.tracing, port: 1, http: { headers: [{ name: a }] } }"),
    "mesh:3: extensionProviders[0].opentelemetry.http.headers[0]: needs exactly one of value and envName",
  ],
  [
    "a status that Envoy does not know",
    provider('envoyExtAuthzGrpc: { service: a.b, port: 1, statusOnError: "418" }'),
    "mesh:3: extensionProviders[0].envoyExtAuthzGrpc.statusOnError: must be the number of an HTTP status that Envoy knows, in quotes",
  ],
  [
    "a default that is not there",
    problemsOf("defaultProviders: { accessLogging: [envoy, logs] }"),
    "mesh:1: defaultProviders.accessLogging[1]: logs is none of extensionProviders: it has no effect",
  ],
];

describe("a MeshConfig", () => {
  for (const [what, found, ...problems] of rows)
    test(what, () => {
      assert.deepEqual(found, problems);
    });

  const configMap = [
    "apiVersion: v1",
    "kind: ConfigMap",
    "metadata: { name: istio, namespace: istio-system }",
    "data:",
    "  mesh: |-",
    "    accessLogFile: /dev/stdout",
    "    extensionProviders:",
    '    - { name: logs, envoyFileAccessLog: { path: /tmp/a, logFormat: { labels: { a: [1, "%DURATION%"] } } } }',
    "  meshNetworks: 'networks: {}'",
  ].join("\n");

  test("is in the ConfigMap of the mesh", () => {
    const { objects, problems } = parseDocuments("a.yaml", configMap);
    const { meshConfig } = buildModel(objects, settings);
    assert.deepEqual(problems, []);
    assert.equal(meshConfig.accessLogFile, "/dev/stdout");
    assert.deepEqual(extensionProvider(meshConfig, "logs")?.envoyFileAccessLog?.logFormat, {
      labels: { a: [1, "%DURATION%"] },
    });
    assert.deepEqual(extensionProvider(meshConfig, "envoy")?.envoyFileAccessLog, { path: "/dev/stdout" });
    assert.equal(extensionProvider(meshConfig, "trace"), undefined);
  });

  test("has its problems at the lines of the ConfigMap", () => {
    const { objects, problems, refused } = parseDocuments("a.yaml", configMap.replace("path:", "paths:"));
    assert.deepEqual(
      [objects, problems.map(describeConfigProblem), refused],
      [
        [],
        ["a.yaml:8: extensionProviders[0].envoyFileAccessLog.paths: is not known here: did you mean path?"],
        ["MeshConfig istio-system/istio"],
      ],
    );
  });

  test("is not in another ConfigMap", () => {
    const { objects, problems } = parseDocuments("a.yaml", configMap.replace("istio,", "istio-a,"));
    assert.deepEqual(objects, []);
    assert.equal(problems[0]?.severity, "warning");
  });
});
