/** Each field of Istio's ProxyConfig: what of it reaches Envoy, and what reaches the control plane. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { envoyArguments } from "../../../../src/envoy/generation/arguments.ts";
import { parseConfig } from "../../../../src/config/parse-config.ts";
import { proxyConfigFields } from "../../../../src/config/proxy-config/schema.ts";
import { configSources, type SourceChanges } from "../../../support/config-sources.ts";
import { type ProxyConfigRow, proxyConfigRows } from "../../../support/proxy-config-rows.ts";
import { renderedBootstrap } from "../../../support/rendered-bootstrap.ts";

/** Field names of mesh/v1alpha1/proxy.proto, message ProxyConfig, but for those that are reserved. */
const istiosFields = [
  ...[
    "configPath",
    "binaryPath",
    "serviceCluster",
    "tracingServiceName",
    "drainDuration",
    "discoveryAddress",
  ],
  ...["discoveryRefreshDelay", "zipkinAddress", "statsdUdpAddress", "envoyMetricsServiceAddress"],
  ...["proxyAdminPort", "availabilityZone", "controlPlaneAuthPolicy", "customConfigFile", "statNameLength"],
  ...["concurrency", "proxyBootstrapTemplatePath", "interceptionMode", "tracing", "sds"],
  ...["envoyAccessLogService", "envoyMetricsService", "proxyMetadata", "runtimeValues", "statusPort"],
  ...["extraStatTags", "gatewayTopology", "terminationDrainDuration", "meshId", "readinessProbe"],
  ...["proxyStatsMatcher", "holdApplicationUntilProxyStarts", "caCertificatesPem", "image"],
  ...["privateKeyProvider", "proxyHeaders", "fileFlushInterval", "fileFlushMinSizeKb", "statsCompression"],
  "connectionSettings",
];

const files = { "./mine.yaml": "node: {id: mine, cluster: mine, metadata: {}}\n" };

function withConfig(config: Readonly<Record<string, unknown>>): SourceChanges {
  return { env: { PROXY_CONFIG: JSON.stringify(config) }, files };
}

function metadataOf(changes: SourceChanges): Readonly<Record<string, unknown>> {
  const { bootstrap } = parseConfig(configSources({ ...changes, files: {} }));
  assert.equal(bootstrap.kind, "template");
  const metadata = bootstrap.parameters.metadata as Readonly<Record<string, unknown>>;
  return metadata["PROXY_CONFIG"] as Readonly<Record<string, unknown>>;
}

function at(value: unknown, path: string): unknown {
  return path
    .split(/\.(?![^[]*\])|(?=\[)/)
    .reduce<unknown>(
      (inner, part) => (inner as Record<string, unknown> | undefined)?.[part.replace(/^\[(.*)\]$/, "$1")],
      value,
    );
}

function envoyOf(changes: SourceChanges): unknown {
  const argv = envoyArguments(parseConfig(configSources(changes)).envoy, "b.json", { kind: "alone" });
  return { argv, bootstrap: renderedBootstrap(changes) };
}

/** Where nothing is configured. */
const plain = envoyOf({ files });

/** Without what the control plane is told: that is looked at by itself. */
function asText(envoy: unknown): string {
  return JSON.stringify(envoy, (key, value: unknown) => (key === "PROXY_CONFIG" ? undefined : value));
}

describe("ProxyConfig", () => {
  test("has every field of Istio's, and a row here for each", () => {
    assert.deepEqual(Object.keys(proxyConfigRows).toSorted(), istiosFields.toSorted());
    const untold = Object.entries(proxyConfigFields).filter(([, field]) => "isUntold" in field);
    assert.deepEqual(
      Object.keys(proxyConfigFields).toSorted(),
      [...istiosFields, ...untold.map(([name]) => name)].toSorted(),
    );
  });
});

/** The file that a field names is another matter. */
const namesFile: readonly string[] = ["customConfigFile", "proxyBootstrapTemplatePath"];

for (const [name, row] of Object.entries<ProxyConfigRow>(proxyConfigRows)) {
  const config = { ...row.beside, [name]: row.value };
  describe(name, () => {
    if (!namesFile.includes(name)) {
      test("reaches the control plane as protobuf's JSON has it", () => {
        const expected = row.told === null ? undefined : (row.told ?? row.value);
        assert.deepEqual(metadataOf(withConfig(config))[name], expected);
      });
    }

    if (row.zero !== undefined) {
      test("is left out when it is zero", () => {
        assert.ok(!(name in metadataOf(withConfig({ [name]: row.zero }))));
      });
    }

    test(row.reaches === undefined ? "gives Envoy nothing" : "reaches Envoy", () => {
      const envoy = envoyOf(withConfig(config));
      if (row.reaches === undefined) assert.equal(asText(envoy), asText(plain));
      for (const [path, value] of row.reaches ?? []) {
        assert.notDeepEqual(at(plain, path), value, `${path} is so anyway`);
        assert.deepEqual(at(envoy, path), value, path);
      }
    });
  });
}

describe("the node's metadata have the effective ProxyConfig", () => {
  const effective = (changes: SourceChanges, name: string): unknown => metadataOf(changes)[name];

  test("as it is where nobody says anything: Istio's defaults, and nothing that is zero", () => {
    assert.deepEqual(metadataOf({}), {
      configPath: "./etc/istio/proxy",
      binaryPath: "/usr/local/bin/envoy",
      serviceCluster: "istio-proxy",
      drainDuration: "45s",
      terminationDrainDuration: "5s",
      discoveryAddress: "istiod.istio-system.svc:15012",
      proxyAdminPort: 15000,
      controlPlaneAuthPolicy: "MUTUAL_TLS",
      statNameLength: 189,
      statusPort: 15020,
    });
  });

  for (const [what, changes, expected] of [
    ["by ISTIO_CPU_LIMIT", { env: { ISTIO_CPU_LIMIT: "2" } }, 2],
    ["by ProxyConfig", { env: { ISTIO_CPU_LIMIT: "2", PROXY_CONFIG: "concurrency: 3" } }, 3],
    ["by ProxyConfig, even 0", { env: { ISTIO_CPU_LIMIT: "2", PROXY_CONFIG: "concurrency: 0" } }, 0],
    ["by the flag", { env: { PROXY_CONFIG: "concurrency: 3" }, flags: { concurrency: "4" } }, 4],
    ["not by a flag of 0", { env: { PROXY_CONFIG: "concurrency: 3" }, flags: { concurrency: "0" } }, 3],
    ["by none", { cpus: { limit: 2, request: undefined, available: 8 } }, undefined],
  ] as const) {
    test(`concurrency ${what}`, () => {
      assert.equal(effective(changes, "concurrency"), expected);
    });
  }

  for (const [what, config, expected] of [
    ["the flag's where ProxyConfig has an empty one", "serviceCluster: ''", "from-flag"],
    ["ProxyConfig's", "serviceCluster: web", "web"],
    ["Istio's default where it has none, as in Istio", "{}", "istio-proxy"],
  ] as const) {
    test(`serviceCluster is ${what}`, () => {
      const changes = { env: { PROXY_CONFIG: config }, flags: { serviceCluster: "from-flag" } };
      assert.equal(effective(changes, "serviceCluster"), expected);
    });
  }

  test("statsdUdpAddress by its address, and without one that cannot be resolved", () => {
    const env = { PROXY_CONFIG: "statsdUdpAddress: statsd:9125" };
    assert.equal(effective({ env, hosts: { statsd: "fd00::9" } }, "statsdUdpAddress"), "[fd00::9]:9125");
    assert.equal(effective({ env }, "statsdUdpAddress"), undefined);
  });

  test("with the ports and the address of the pod's annotations", () => {
    const files = {
      "./etc/istio/pod/annotations":
        'status.sidecar.istio.io/port="15120"\nsidecar.istio.io/discoveryAddress="pilot:15012"\n',
    };
    const { bootstrap } = parseConfig(configSources({ files }));
    assert.equal(bootstrap.kind, "template");
    const metadata = bootstrap.parameters.metadata as { readonly PROXY_CONFIG: Record<string, unknown> };
    assert.equal(metadata.PROXY_CONFIG["statusPort"], 15_120);
    assert.equal(metadata.PROXY_CONFIG["discoveryAddress"], "pilot:15012");
  });

  test("without a secret, and without what is not Istio's", () => {
    const config = {
      parentShutdownDuration: "90s",
      tracing: {
        lightstep: { address: "ls:443", accessToken: "hush" },
        openTelemetry: { address: "otel:4317" },
      },
    };
    const told = metadataOf({ env: { PROXY_CONFIG: JSON.stringify(config) } });
    assert.deepEqual(told["tracing"], { lightstep: { address: "ls:443" } });
    assert.ok(!("parentShutdownDuration" in told));
  });

  test("with 64-bit numbers as text, and every tracer's fields", () => {
    const tracing = {
      stackdriver: { debug: false, maxNumberOfAttributes: 100 },
      openCensusAgent: { address: "dns://oc", context: ["W3C_TRACE_CONTEXT", 4] },
    };
    assert.deepEqual(effective({ env: { PROXY_CONFIG: JSON.stringify({ tracing }) } }, "tracing"), {
      stackdriver: { maxNumberOfAttributes: "100" },
      openCensusAgent: { address: "dns://oc", context: ["W3C_TRACE_CONTEXT", "B3"] },
    });
  });
});

describe("the node ID", () => {
  for (const [env, expected] of [
    [{ POD_NAME: "", POD_NAMESPACE: "" }, "."],
    [{ POD_NAME: "web-1", POD_NAMESPACE: "" }, "web-1."],
    [{ POD_NAME: "", POD_NAMESPACE: "demo" }, ".demo"],
    [{ POD_NAME: "web-1", POD_NAMESPACE: "demo" }, "web-1.demo"],
  ] as const) {
    test(`of pod ${JSON.stringify(env.POD_NAME)} in namespace ${JSON.stringify(env.POD_NAMESPACE)}`, () => {
      assert.equal(parseConfig(configSources({ env })).nodeId.split("~")[2], expected);
    });
  }
});

describe("the node's cluster", () => {
  const canonical = { "service.istio.io/canonical-name": "canon" };
  for (const [scheme, labels, workload, expected] of [
    ["APP_LABEL_AND_NAMESPACE", { app: "a", "app.kubernetes.io/name": "k", ...canonical }, "w", "a.demo"],
    ["APP_LABEL_AND_NAMESPACE", { "app.kubernetes.io/name": "k", ...canonical }, "w", "k.demo"],
    ["APP_LABEL_AND_NAMESPACE", canonical, "w", "canon.demo"],
    ["APP_LABEL_AND_NAMESPACE", {}, "w", "w.demo"],
    ["APP_LABEL_AND_NAMESPACE", {}, "", "istio-proxy.demo"],
    ["CANONICAL_NAME_ONLY", { app: "a", "app.kubernetes.io/name": "k", ...canonical }, "w", "canon"],
    ["CANONICAL_NAME_ONLY", { app: "a", "app.kubernetes.io/name": "k" }, "w", "k"],
    ["CANONICAL_NAME_ONLY", {}, "w", "w"],
    ["CANONICAL_NAME_ONLY", {}, "", "istio-proxy.demo"],
    ["CANONICAL_NAME_AND_NAMESPACE", { app: "a" }, "w", "a.demo"],
    ["CANONICAL_NAME_AND_NAMESPACE", {}, "w", "w.demo"],
  ] as const) {
    test(`is ${expected} by ${scheme} of ${JSON.stringify(labels)} and workload "${workload}"`, () => {
      const { bootstrap } = parseConfig(
        configSources({
          flags: { serviceCluster: "from-flag" },
          env: {
            PROXY_CONFIG: `tracingServiceName: ${scheme}`,
            ISTIO_META_WORKLOAD_NAME: workload,
            ISTIO_METAJSON_LABELS: JSON.stringify(labels),
          },
        }),
      );
      assert.equal(bootstrap.kind, "template");
      assert.equal(bootstrap.parameters.nodeCluster, expected);
    });
  }
});
