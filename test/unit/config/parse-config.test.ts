import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AgentConfig } from "../../../src/config/agent-config.ts";
import { ConfigError, describeProblem } from "../../../src/schema/config-problem.ts";
import { envoyArguments } from "../../../src/envoy/generation/arguments.ts";
import { parseConfig } from "../../../src/config/parse-config.ts";
import { configSources, type SourceChanges } from "../../support/config-sources.ts";

function metadataOf(config: AgentConfig): Readonly<Record<string, unknown>> {
  assert.equal(config.bootstrap.kind, "template");
  return config.bootstrap.parameters.metadata as Record<string, unknown>;
}

function problemsOf(changes: SourceChanges): string[] {
  try {
    parseConfig(configSources(changes));
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(describeProblem);
  }
  assert.fail("the configuration was accepted");
}

describe("parseConfig()", () => {
  test("makes the node ID and the main metadata", () => {
    const config = parseConfig(
      configSources({
        env: { ISTIO_META_CLUSTER_ID: "Kubernetes", ISTIO_META_NAME: "not-me" },
        files: { "./etc/istio/pod/labels": 'app="web"\npod-template-hash="x"\n' },
      }),
    );
    assert.equal(config.nodeId, "sidecar~10.1.1.7~web-1.demo~demo.svc.cluster.local");
    const metadata = metadataOf(config);
    assert.equal(metadata["CLUSTER_ID"], "Kubernetes");
    assert.equal(metadata["NAME"], "web-1", "a typed key is not overridden by ISTIO_META_");
    assert.deepEqual(metadata["LABELS"], { app: "web" });
    assert.deepEqual(metadata["PILOT_SAN"], ["istiod.istio-system.svc"]);
    assert.equal(config.bootstrap.kind === "template" && config.bootstrap.parameters.nodeCluster, "web.demo");
  });

  test("puts the CA where discovery is, unless CA_ADDR says otherwise", () => {
    assert.equal(parseConfig(configSources()).identity.caAddress, "istiod.istio-system.svc:15012");
    const apart = parseConfig(configSources({ env: { CA_ADDR: "ca.example:15010" } }));
    assert.equal(apart.identity.caAddress, "ca.example:15010");
    assert.equal(apart.identity.tls, undefined, "port 15010 is plain text");
  });

  test("expects istiod's name from a control plane on localhost", () => {
    const config = parseConfig(configSources({ env: { PROXY_CONFIG: "discoveryAddress: localhost:15012" } }));
    assert.equal(config.xds.upstream.tls?.serverName, "istiod.istio-system.svc");
  });

  test("captures nothing and needs no capture ports in mode NONE", () => {
    const config = parseConfig(configSources({ env: { ISTIO_META_INTERCEPTION_MODE: "NONE" } }));
    assert.deepEqual(
      config.knownPorts.map(({ port }) => port),
      [15000, 15020, 15021, 15090],
    );
  });

  test("--concurrency wins over ProxyConfig, which wins over the CPU limit", () => {
    const env = { ISTIO_CPU_LIMIT: "4", PROXY_CONFIG: "concurrency: 2" };
    assert.equal(parseConfig(configSources({ env: { ISTIO_CPU_LIMIT: "4" } })).envoy.concurrency, 4);
    assert.equal(parseConfig(configSources({ env })).envoy.concurrency, 2);
    assert.equal(parseConfig(configSources({ env, flags: { concurrency: "3" } })).envoy.concurrency, 3);
  });

  test("leaves every CPU to Envoy for a concurrency of 0, whatever its limits are, as Istio does", () => {
    const env = { ISTIO_CPU_LIMIT: "2", PROXY_CONFIG: "concurrency: 0" };
    const { envoy, warnings } = parseConfig(configSources({ env }));
    assert.equal(envoy.concurrency, undefined);
    assert.equal(envoy.environment["ENVOY_CGROUP_CPU_DETECTION"], "false");
    assert.match(warnings.join("\n"), /concurrency: 0 gives Envoy 8 worker threads on a CPU limit of 2/);
    const { envoy: limited } = parseConfig(configSources({ env: { ISTIO_CPU_LIMIT: "2" } }));
    assert.equal(limited.environment["ENVOY_CGROUP_CPU_DETECTION"], undefined);
  });

  test("starts without a bootstrap override that is not there, and says so", () => {
    const sources = configSources({ env: { ISTIO_BOOTSTRAP_OVERRIDE: "./override.json" } });
    const { bootstrap, warnings } = parseConfig(sources);
    assert.equal(bootstrap.kind === "template" && bootstrap.override, undefined);
    assert.match(
      warnings.join("\n"),
      /ISTIO_BOOTSTRAP_OVERRIDE: \.\/override\.json does not exist; nothing is/,
    );
    const unreadable = {
      ...sources,
      readFile: (path: string) =>
        path === "./override.json"
          ? ({ kind: "unreadable", message: "EACCES" } as const)
          : sources.readFile(path),
    };
    assert.match(parseConfig(unreadable).warnings.join("\n"), /override\.json cannot be read: EACCES/);
  });

  test("runs a gateway, which captures nothing and drains everything", () => {
    const { envoy, knownPorts } = parseConfig(configSources({ proxyType: "router" }));
    assert.equal(envoy.drainInboundOnly, false);
    assert.deepEqual(
      knownPorts.map(({ port }) => port),
      [15000, 15020, 15021, 15090],
    );
    assert.equal(parseConfig(configSources()).envoy.drainInboundOnly, true);
  });

  test("hands Envoy's own options on", () => {
    const { envoy } = parseConfig(
      configSources({
        env: {
          PROXY_CONFIG: "{fileFlushInterval: 2.5s, fileFlushMinSizeKb: 64, drainDuration: 1m}",
          COMPLIANCE_POLICY: "fips-140-3",
        },
        flags: { proxyLogLevel: "info,misc:error", proxyComponentLogLevel: "http:debug" },
      }),
    );
    assert.deepEqual(envoyArguments(envoy, "b.json", { kind: "alone" }).slice(0, 16), [
      ...["-c", "b.json", "--drain-time-s", "60", "--drain-strategy", "immediate"],
      ...["--local-address-ip-version", "v4", "--file-flush-interval-msec", "2500"],
      ...["--disable-hot-restart", "--allow-unknown-static-fields", "--file-flush-min-size-kb", "64"],
      ...["-l", "info"],
    ]);
    assert.equal(envoy.componentLogLevel, "misc:error");
    assert.match(envoy.environment["GRPC_SSL_CIPHER_SUITES"] ?? "", /^ECDHE-ECDSA-AES128-GCM-SHA256:/);
  });

  test("drops what is neither a level nor one of a component, and says so", () => {
    const { envoy, warnings } = parseConfig(
      configSources({ flags: { proxyLogLevel: "info,a:b:c,error,x:" } }),
    );
    assert.equal(envoy.logLevel, "error");
    assert.equal(envoy.componentLogLevel, undefined);
    assert.match(warnings.join("\n"), /--proxyLogLevel: a:b:c, x:: neither/);
  });

  test("keeps a replaced Envoy longer than its drain, whatever an old parentShutdownDuration says", () => {
    const env = { PROXY_CONFIG: "{drainDuration: 90s, parentShutdownDuration: 60s}" };
    const { envoy, warnings } = parseConfig(configSources({ env }));
    assert.equal(envoy.parentShutdownDurationMs, 105_000);
    assert.match(warnings.join("\n"), /parentShutdownDuration: 60000 ms is not longer than drainDuration/);
    assert.match(
      problemsOf({ env, flags: { parentShutdownDuration: "60s" } }).join("\n"),
      /--parentShutdownDuration: 1m is not a duration longer than drainDuration/,
    );
  });

  test("has a socket for the application below configPath, elsewhere, or none", () => {
    const socketOf = (appSocket?: string): unknown =>
      parseConfig(
        configSources({ flags: { appGrace: "250ms", ...(appSocket === undefined ? {} : { appSocket }) } }),
      ).application;
    assert.deepEqual(socketOf(), { path: "etc/istio/proxy/app.sock", mode: 0o666, graceMs: 250 });
    assert.deepEqual(socketOf("/run/app.sock"), { path: "/run/app.sock", mode: 0o666, graceMs: 250 });
    assert.equal(socketOf("off"), undefined);
  });

  test("has no longest drain unless one is set", () => {
    assert.equal(parseConfig(configSources()).envoy.maximumDrainDurationMs, undefined);
    const env = { MAXIMUM_DRAIN_DURATION: "25s" };
    assert.equal(parseConfig(configSources({ env })).envoy.maximumDrainDurationMs, 25_000);
  });

  test("reports every problem of every source at once", () => {
    const problems = problemsOf({
      proxyType: "carrot",
      flags: {
        log_output_level: "xds:loud",
        preDrainDelay: "soon",
        appGrace: "-1s",
      },
      env: {
        PROXY_CONFIG: "{statusPort: 15000, discoveryAddress: nowhere}",
        ISTIO_BOOTSTRAP: "./bootstrap.yaml",
        WORKLOAD_RSA_KEY_SIZE: "1024",
      },
      files: { "./etc/istio/pod/labels": "app=web\n" },
    });
    for (const expected of [
      /^proxy: proxy type "carrot" is not supported/,
      /^\.\/etc\/istio\/pod\/labels: line 1/,
      /^PROXY_CONFIG: discoveryAddress: "nowhere"/,
      /^--log_output_level: /,
      /^--preDrainDelay: "soon" is not a duration from 0s/,
      /^--appGrace: "-1s" is not a duration/,
      /^ISTIO_BOOTSTRAP: \.\/bootstrap\.yaml does not exist/,
      /^ports: 15000: ProxyConfig proxyAdminPort and ProxyConfig statusPort are the same port/,
      /^WORKLOAD_RSA_KEY_SIZE: 1024 is not from 2048 to 8192/,
    ]) {
      assert.ok(
        problems.some((problem) => expected.test(problem)),
        `${String(expected)} is not among\n${problems.join("\n")}`,
      );
    }
  });
});
