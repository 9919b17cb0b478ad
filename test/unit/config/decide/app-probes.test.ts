import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AppProber, AppProbesOptions } from "../../../../src/app-probes/options.ts";
import { parseConfig } from "../../../../src/config/parse-config.ts";
import { ConfigError, describeProblem } from "../../../../src/schema/config-problem.ts";
import { configSources, type SourceChanges } from "../../../support/config-sources.ts";

function options(probers: unknown, { env, ...changes }: SourceChanges = {}): AppProbesOptions | undefined {
  const ISTIO_KUBE_APP_PROBERS = typeof probers === "string" ? probers : JSON.stringify(probers);
  return parseConfig(configSources({ ...changes, env: { ISTIO_KUBE_APP_PROBERS, ...env } })).appProbes;
}

function problems(probers: unknown): readonly string[] {
  try {
    options(probers);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(describeProblem).toSorted();
  }
  assert.fail("the probes were accepted");
}

const path = "/app-health/web/livez";

describe("ISTIO_KUBE_APP_PROBERS", () => {
  test("is none unless it is given", () => {
    assert.equal(parseConfig(configSources()).appProbes, undefined);
    assert.equal(options(""), undefined);
    assert.equal(options({}), undefined);
  });

  const rows: readonly (readonly [given: unknown, expected: AppProber])[] = [
    [
      { httpGet: { path: "/healthz", port: 8080, scheme: "HTTP" }, timeoutSeconds: 1 },
      { kind: "http", scheme: "http", path: "/healthz", port: 8080, timeoutMs: 1_000 },
    ],
    [
      { httpGet: { path: "ready?of=a b", port: 8443, scheme: "HTTPS" } },
      { kind: "http", scheme: "https", path: "/ready?of=a%20b", port: 8443, timeoutMs: 0 },
    ],
    [
      { httpGet: { path: "/ready?of=a#top", port: 80 } },
      { kind: "http", scheme: "http", path: "/ready?of=a", port: 80, timeoutMs: 0 },
    ],
    [{ httpGet: { port: 80 } }, { kind: "http", scheme: "http", path: "/", port: 80, timeoutMs: 0 }],
    [
      // What the kubelet does with a probe is not for the agent, nor are its host and its headers.
      {
        httpGet: { port: 80, host: "203.0.113.9", httpHeaders: [{ name: "X-A", value: "1" }] },
        periodSeconds: 5,
      },
      { kind: "http", scheme: "http", path: "/", port: 80, timeoutMs: 0 },
    ],
    [
      { tcpSocket: { port: 5432, host: "" }, timeoutSeconds: 3 },
      { kind: "tcp", port: 5432, timeoutMs: 3_000 },
    ],
    [{ grpc: { port: 9000, service: null } }, { kind: "grpc", service: "", port: 9000, timeoutMs: 0 }],
    [
      { grpc: { port: 9000, service: "shop" }, timeoutSeconds: 2 },
      { kind: "grpc", service: "shop", port: 9000, timeoutMs: 2_000 },
    ],
  ];
  for (const [given, expected] of rows) {
    test(`takes ${JSON.stringify(given)}`, () => {
      assert.deepEqual(options({ [path]: given })?.probers.get(path), expected);
    });
  }

  for (const good of [
    "/app-health/web/livez",
    "/app-health/web/readyz",
    "/app-health/web/startupz",
    "/app-lifecycle/web/prestopz",
    "/app-lifecycle/web/poststartz",
  ]) {
    test(`has ${good}`, () => {
      assert.deepEqual([...(options({ [good]: { tcpSocket: { port: 1 } } })?.probers.keys() ?? [])], [good]);
    });
  }

  for (const bad of [
    "app-health/web/livez",
    "/app-health/livez",
    "/app-health/web/livez/",
    "/app-health/a/b/livez",
    "/app-health/web/ready",
    "/healthz/ready",
    "",
  ]) {
    test(`refuses the path ${bad}`, () => {
      assert.match(problems({ [bad]: { tcpSocket: { port: 1 } } }).join("\n"), /is not like \/app-health\//);
    });
  }

  const wrong: readonly (readonly [given: unknown, problem: RegExp])[] = [
    ["{", /is not JSON/],
    ["[]", /is not a mapping of paths to probes/],
    [{ [path]: 5 }, /livez: 5 is not a mapping of fields/],
    [{ [path]: null }, /livez: needs exactly one of httpGet, tcpSocket, grpc; none is given/],
    [{ [path]: { exec: { command: ["true"] } } }, /needs exactly one of/],
    [{ [path]: { httpGet: { port: 1 }, grpc: { port: 1 } } }, /httpGet and grpc are given/],
    [{ [path]: { httpGet: { path: "/" } } }, /livez: httpGet\.port: is required|httpGet\.port/],
    [{ [path]: { httpGet: { port: "http" } } }, /livez\.httpGet\.port: "http" is not a whole number/],
    [{ [path]: { tcpSocket: { port: 0 } } }, /livez\.tcpSocket\.port: 0 is not/],
    [{ [path]: { tcpSocket: { port: 65_536 } } }, /livez\.tcpSocket\.port: 65536 is not/],
    [{ [path]: { httpGet: { port: 80, scheme: "FTP" } } }, /scheme: "FTP" is not HTTP or HTTPS/],
    [{ [path]: { tcpSocket: { port: 1 }, timeoutSeconds: 1.5 } }, /timeoutSeconds: 1\.5 is not/],
    [{ [path]: { tcpSocket: { port: 1 }, timeoutSeconds: -1 } }, /timeoutSeconds: -1 is not/],
  ];
  for (const [given, problem] of wrong) {
    test(`refuses ${JSON.stringify(given)}`, () => {
      assert.match(problems(given).join("\n"), problem);
    });
  }

  test("names everything that is wrong at once", () => {
    assert.equal(
      problems({ [path]: { httpGet: { port: "x" } }, "/bad": { tcpSocket: { port: 1 } }, "/worse": {} })
        .length,
      4,
    );
  });

  test("is of no type but a mapping of its own keys", () => {
    assert.equal(options('{"/app-health/__proto__/livez":{"tcpSocket":{"port":1}}}')?.probers.size, 1);
  });
});

describe("where the application is probed", () => {
  const probers = { [path]: { tcpSocket: { port: 1 } } };
  const place = (changes: SourceChanges): readonly (string | undefined)[] => {
    const found = options(probers, changes);
    return [found?.host, found?.sourceAddress];
  };
  const rows: readonly (readonly [what: string, changes: SourceChanges, expected: readonly unknown[]])[] = [
    ["at the pod's address, past the capture", { addresses: ["10.1.1.7"] }, ["10.1.1.7", "127.0.0.6"]],
    [
      "at an IPv6 address, past the capture",
      { addresses: ["2001:db8::7"], env: { INSTANCE_IP: "2001:db8::7" } },
      ["2001:db8::7", "::6"],
    ],
    [
      "at the interface's own address where others know the machine by another",
      { addresses: ["10.1.1.7"], env: { INSTANCE_IP: "203.0.113.9" } },
      ["10.1.1.7", "127.0.0.6"],
    ],
    [
      "on loopback where it has no address that others know",
      { addresses: [], env: { INSTANCE_IP: "203.0.113.9" } },
      ["127.0.0.1", "127.0.0.6"],
    ],
    [
      "on loopback where that is asked for",
      { addresses: ["10.1.1.7"], env: { REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION: "true" } },
      ["127.0.0.1", "127.0.0.6"],
    ],
    [
      "from any address where nothing is captured",
      { addresses: ["10.1.1.7"], env: { ISTIO_META_INTERCEPTION_MODE: "NONE" } },
      ["10.1.1.7", undefined],
    ],
    [
      "from any address without Envoy",
      { addresses: ["10.1.1.7"], env: { DISABLE_ENVOY: "true" } },
      ["10.1.1.7", undefined],
    ],
  ];
  for (const [what, changes, expected] of rows) {
    test(what, () => {
      assert.deepEqual(place(changes), expected);
    });
  }

  test("has Istio's switches", () => {
    const usual = options(probers);
    assert.deepEqual([usual?.offersHttp2, usual?.keepsConnections, usual?.statusPort], [true, false, 15_020]);
    const changed = options(probers, {
      env: { ISTIO_ENABLE_HTTP2_PROBING: "false", ENABLE_PROBE_KEEPALIVE_CONNECTIONS: "true" },
    });
    assert.deepEqual([changed?.offersHttp2, changed?.keepsConnections], [false, true]);
  });
});
