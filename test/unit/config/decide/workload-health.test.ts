import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError, describeProblem } from "../../../../src/schema/config-problem.ts";
import { parseConfig } from "../../../../src/config/parse-config.ts";
import type { WorkloadHealthOptions } from "../../../../src/workload-health/options.ts";
import { configSources, type SourceChanges } from "../../../support/config-sources.ts";

function options(
  readinessProbe: unknown,
  { env, ...changes }: SourceChanges = {},
): WorkloadHealthOptions | undefined {
  const PROXY_CONFIG = JSON.stringify({ readinessProbe });
  return parseConfig(configSources({ ...changes, env: { PROXY_CONFIG, ...env } })).workloadHealth;
}

function problems(readinessProbe: unknown): readonly string[] {
  try {
    options(readinessProbe);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(describeProblem).toSorted();
  }
  assert.fail("the probe was accepted");
}

const uncaptured = { env: { ISTIO_META_INTERCEPTION_MODE: "NONE" } };

describe("readinessProbe", () => {
  test("checks nothing unless it is given", () => {
    assert.equal(parseConfig(configSources()).workloadHealth, undefined);
  });

  test("has Istio's defaults", () => {
    assert.deepEqual(options({ httpGet: { port: 8080 } }, uncaptured), {
      method: {
        ...{ kind: "http", scheme: "http", host: "10.1.1.7", port: 8080, path: "/", headers: [] },
        sourceAddress: undefined,
      },
      initialDelayMs: 0,
      timeoutMs: 1_000,
      periodMs: 10_000,
      thresholds: { success: 1, failure: 1 },
    });
  });

  test("takes what is given, 0 as unset", () => {
    const probe = {
      initialDelaySeconds: 3,
      timeoutSeconds: 0,
      period_seconds: "5",
      successThreshold: 2,
      failureThreshold: 4,
      httpGet: {
        host: "example.com",
        port: 8443,
        scheme: "HTTPS",
        path: "healthz?of=a b",
        httpHeaders: [{ name: "X-A", value: "1" }],
      },
    };
    assert.deepEqual(options(probe), {
      method: {
        ...{ kind: "http", scheme: "https", host: "example.com", port: 8443, path: "/healthz?of=a%20b" },
        headers: [{ name: "X-A", value: "1" }],
        sourceAddress: undefined,
      },
      initialDelayMs: 3_000,
      timeoutMs: 1_000,
      periodMs: 5_000,
      thresholds: { success: 2, failure: 4 },
    });
  });

  test("asks a captured workload from the address that is not captured, and nobody else from it", () => {
    const sourceOf = (host: string | undefined, addresses: string): string | undefined => {
      const method = options({ tcpSocket: { host, port: 1 } }, { env: { INSTANCE_IP: addresses } })?.method;
      assert.equal(method?.kind, "tcp");
      return method.sourceAddress;
    };
    assert.equal(sourceOf(undefined, "10.1.1.7"), "127.0.0.6");
    assert.equal(sourceOf("10.1.1.7", "10.1.1.7"), "127.0.0.6");
    assert.equal(sourceOf(undefined, "fd00::7"), "::6");
    assert.equal(sourceOf("10.9.9.9", "10.1.1.7"), undefined);
    assert.equal(sourceOf("localhost", "10.1.1.7"), undefined);
  });

  test("asks an address that this machine has, not that of the NAT before it", () => {
    const hostOf = (addresses: readonly string[], host?: string, instanceIp = "203.0.113.9"): unknown => {
      const env = {
        INSTANCE_IP: instanceIp,
        PROXY_CONFIG: JSON.stringify({ readinessProbe: { tcpSocket: { port: 1, host } } }),
      };
      const method = parseConfig(configSources({ env, addresses })).workloadHealth?.method;
      assert.equal(method?.kind, "tcp");
      return method.host;
    };
    assert.equal(hostOf(["10.9.0.2", "fd00::2"]), "10.9.0.2");
    assert.equal(hostOf(["10.9.0.2", "203.0.113.9"]), "203.0.113.9");
    assert.equal(hostOf(["10.9.0.2"], undefined, "127.0.0.1"), "127.0.0.1", "every machine has it");
    assert.equal(hostOf([]), "203.0.113.9", "it may come yet");
    assert.equal(hostOf(["10.9.0.2"], "203.0.113.9"), "203.0.113.9", "the user asks for it");
  });

  test("runs a command, or asks by gRPC", () => {
    assert.deepEqual(options({ exec: { command: ["/bin/sh", "-c", "true"] } })?.method, {
      kind: "exec",
      file: "/bin/sh",
      args: ["-c", "true"],
    });
    assert.deepEqual(options({ grpc: { port: 9000, service: "a.B" } }, uncaptured)?.method, {
      ...{ kind: "grpc", host: "10.1.1.7", port: 9000, service: "a.B", sourceAddress: undefined },
    });
  });

  test("is refused with everything that is wrong with it", () => {
    assert.deepEqual(
      problems({
        timeoutSeconds: -1,
        periodSeconds: "soon",
        httpGet: { scheme: "ftp", httpHeaders: [{ name: "a b", value: "c\nd" }] },
        tcpSocket: { port: 70_000, host: "a/b" },
        exec: { command: [] },
      }),
      [
        "PROXY_CONFIG: readinessProbe.exec.command: must begin with a program to run, such as [/bin/sh, -c, …]",
        'PROXY_CONFIG: readinessProbe.httpGet.httpHeaders[0].name: "a b" is no header name',
        "PROXY_CONFIG: readinessProbe.httpGet.httpHeaders[0].value: holds characters that no header may have",
        "PROXY_CONFIG: readinessProbe.httpGet.port: is required: the port to check",
        'PROXY_CONFIG: readinessProbe.httpGet.scheme: "ftp" is not HTTP or HTTPS',
        'PROXY_CONFIG: readinessProbe.periodSeconds: "soon" is not a whole number',
        'PROXY_CONFIG: readinessProbe.tcpSocket.host: "a/b" is no host name or address',
        "PROXY_CONFIG: readinessProbe.tcpSocket.port: 70000 is not a port from 1 to 65535",
        "PROXY_CONFIG: readinessProbe.timeoutSeconds: -1 is not from 0 to 2147483647",
        "PROXY_CONFIG: readinessProbe: needs exactly one of httpGet, tcpSocket, exec, grpc; httpGet and tcpSocket and exec are given",
      ].toSorted(),
    );
    assert.deepEqual(problems({ periodSeconds: 5 }), [
      "PROXY_CONFIG: readinessProbe: needs exactly one of httpGet, tcpSocket, exec, grpc; none is given",
    ]);
  });
});
