/** Every address of a service, in every form in which it is written. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { metadataTarget } from "../../../../src/config/cloud/metadata-request.ts";
import { ConfigError, describeProblem } from "../../../../src/schema/config-problem.ts";
import { parseConfig } from "../../../../src/config/parse-config.ts";
import type { PilotFlagValues } from "../../../../src/config/sources/pilot-flags.ts";
import { configSources, type SourceChanges } from "../../../support/config-sources.ts";
import { renderedBootstrap } from "../../../support/rendered-bootstrap.ts";

function proxyConfig(config: unknown): SourceChanges {
  return { env: { PROXY_CONFIG: JSON.stringify(config), HOST_IP: "fd00::9" } };
}

function flag(name: keyof PilotFlagValues): (address: string) => SourceChanges {
  return (address) => ({ env: { HOST_IP: "fd00::9" }, flags: { [name]: address } });
}

/** Those that Envoy is given. */
const services: Readonly<Record<string, (address: string) => SourceChanges>> = {
  "tracing.zipkin": (address) => proxyConfig({ tracing: { zipkin: { address } } }),
  "tracing.lightstep": (address) => proxyConfig({ tracing: { lightstep: { address, accessToken: "t" } } }),
  "tracing.datadog": (address) => proxyConfig({ tracing: { datadog: { address } } }),
  "tracing.openTelemetry": (address) => proxyConfig({ tracing: { openTelemetry: { address } } }),
  zipkinAddress: (zipkinAddress) => proxyConfig({ zipkinAddress }),
  envoyMetricsService: (address) => proxyConfig({ envoyMetricsService: { address } }),
  envoyMetricsServiceAddress: (address) => proxyConfig({ envoyMetricsServiceAddress: address }),
  envoyAccessLogService: (address) => proxyConfig({ envoyAccessLogService: { address } }),
  statsdUdpAddress: (statsdUdpAddress) => proxyConfig({ statsdUdpAddress }),
  "--zipkinAddress": flag("zipkinAddress"),
  "--datadogAgentAddress": flag("datadogAgentAddress"),
  "--lightstepAddress": flag("lightstepAddress"),
  "--statsdUdpAddress": flag("statsdUdpAddress"),
};

const forms = [
  ["[fd00::7]:9000", "fd00::7"],
  ["fd00::7:9000", "fd00::7"],
  ["10.1.1.7:9000", "10.1.1.7"],
  ["$(HOST_IP):9000", "fd00::9"],
  ["[$(HOST_IP)]:9000", "fd00::9"],
] as const;

/** What services are in; the release's template takes long to read. */
const template = JSON.stringify({ clusters: { $eval: "serviceClusters" }, sinks: { $eval: "statsSinks" } });

function servicesOf({ flags, ...changes }: SourceChanges): string {
  const small = { flags: { ...flags, templateFile: "./small.json" }, files: { "./small.json": template } };
  return JSON.stringify(renderedBootstrap({ ...changes, ...small }));
}

function problemsOf(changes: SourceChanges): string {
  try {
    parseConfig(configSources(changes));
    return "";
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(describeProblem).join("\n");
  }
}

for (const [name, configure] of Object.entries(services)) {
  describe(name, () => {
    for (const [text, address] of forms) {
      test(`takes ${text}`, () => {
        const bootstrap = servicesOf(configure(text));
        assert.ok(bootstrap.includes(JSON.stringify({ address, port_value: 9000 }).slice(1, -1)), bootstrap);
      });
    }

    test("needs a port, as in Istio", () => {
      for (const text of ["fd00::7", "[fd00::7]", "svc"])
        assert.match(problemsOf(configure(text)), /: "\S+" is not host:port, such as/);
    });
  });
}

describe("the addresses of the control plane", () => {
  test("are read in every form", () => {
    for (const text of ["[fd00::7]:15012", "fd00::7:15012"]) {
      const {
        identity,
        xds,
        nodeId: _,
        bootstrap,
      } = parseConfig(configSources({ env: { CA_ADDR: text, PROXY_CONFIG: `discoveryAddress: "${text}"` } }));
      assert.equal(identity.caAddress, "[fd00::7]:15012");
      assert.equal(xds.upstream.address, "[fd00::7]:15012");
      assert.equal(bootstrap.kind, "template");
      assert.deepEqual((bootstrap.parameters.metadata as Record<string, unknown>)["PILOT_SAN"], ["fd00::7"]);
    }
  });

  test("without a port are problems", () => {
    assert.match(problemsOf({ env: { CA_ADDR: "istiod" } }), /^CA_ADDR: "istiod" is not host:port/m);
  });
});

test("a cloud's metadata service may lack a port, and brackets with it", () => {
  for (const [text, host, port] of [
    ["fd00:ec2::254", "fd00:ec2::254", 80],
    ["[fd00:ec2::254]", "fd00:ec2::254", 80],
    ["[fd00:ec2::254]:8080", "fd00:ec2::254", 8080],
    ["metadata", "metadata", 80],
    ["metadata:8080", "metadata", 8080],
    ["", "169.254.169.254", 80],
    ["metadata:99999", "169.254.169.254", 80],
  ] as const) {
    assert.deepEqual(metadataTarget(text), { host, port }, text);
  }
});
