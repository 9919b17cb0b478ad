/** One row per rule by which Istio's agent reads variables and flags. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { commands } from "../../../src/cli/commands.ts";
import { readEnvironment, variables } from "../../../src/config/sources/environment.ts";
import { flagLayers } from "../../../src/config/proxy-config/layers.ts";
import { flagNotices, pilotFlags } from "../../../src/config/sources/pilot-flags.ts";
import { noticesOf, unreadVariables } from "../../../src/config/sources/unread-variables.ts";

describe("variables", () => {
  for (const [name, text, expected] of [
    ...["1", "t", "T", "TRUE", "true", "True"].map((word) => ["ISTIO_DUAL_STACK", word, true] as const),
    ...["0", "f", "F", "FALSE", "false", "False"].map((word) => ["ISTIO_DELTA_XDS", word, false] as const),
    ...["yes", "on", "tRUE", " true", "", "constructor", "__proto__"].map(
      (word) => ["ISTIO_DUAL_STACK", word, "default"] as const,
    ),
    ["ENVOY_STATUS_PORT", "15121", 15_121],
    ["ENVOY_STATUS_PORT", "+15121", 15_121],
    ["ENVOY_STATUS_PORT", "0x10", "default"],
    ["ENVOY_STATUS_PORT", "015121", 15_121],
    ["ENVOY_STATUS_PORT", "1.5", "default"],
    ["ENVOY_STATUS_PORT", "", "default"],
    ["SECRET_TTL", "1h30m", 5_400_000],
    ["SECRET_TTL", ".5s", 500],
    ["SECRET_TTL", "1.s", 1_000],
    ["SECRET_TTL", "5µs", 0.005],
    ["SECRET_TTL", "5μs", 0.005],
    ["SECRET_TTL", "5s ", "default"],
    ["SECRET_TTL", "5", "default"],
    ["SECRET_TTL", "1d", "default"],
    ["SECRET_TTL", "", "default"],
    ["SECRET_GRACE_PERIOD_RATIO", "0.25", 0.25],
    ["SECRET_GRACE_PERIOD_RATIO", "half", "default"],
    ["SECRET_GRACE_PERIOD_RATIO", "5e-1", 0.5],
    ["SECRET_GRACE_PERIOD_RATIO", ".5", 0.5],
    ["SECRET_GRACE_PERIOD_RATIO", " 0.5", "default"],
    ["SECRET_GRACE_PERIOD_RATIO", "0x1", "default"],
    ["SECRET_GRACE_PERIOD_RATIO", "Infinity", "default"],
    ["TRUST_DOMAIN", "", ""],
    ["PEER_METADATA_DISCOVERY", "false", false],
    ["PEER_METADATA_DISCOVERY", "maybe", "default"],
  ] as const) {
    const outcome =
      expected === "default" ? "warned of and not taken" : `read as ${JSON.stringify(expected)}`;
    test(`${name}=${JSON.stringify(text)} is ${outcome}`, () => {
      const warnings: string[] = [];
      const value = readEnvironment({ [name]: text }, warnings, [])[name];
      assert.deepEqual(value, expected === "default" ? variables[name].default : expected);
      assert.equal(warnings.length, expected === "default" ? 1 : 0, warnings.join("\n"));
    });
  }

  test("that nothing reads are said once, unless they switch something off", () => {
    assert.deepEqual(noticesOf({ SDS_ENABLED: "true", ISTIO_META_DNS_CAPTURE: "false", PLUGINS: "" }), [
      "SDS_ENABLED is deprecated and has no effect: Envoy always gets certificates over SDS. Remove it",
    ]);
    assert.match(noticesOf({ GRPC_KEEPALIVE_INTERVAL: "30s" })[0] ?? "", /no effect in this release/);
  });

  test("stand in one table or in the other", () => {
    assert.deepEqual(
      Object.keys(unreadVariables).filter((name) => Object.hasOwn(variables, name)),
      [],
    );
  });
});

describe("flags of pilot-agent", () => {
  test("are all flags of proxy, so that none is unknown", () => {
    const proxy = commands.find(({ name }) => name === "proxy");
    for (const name of Object.keys(pilotFlags)) assert.ok(proxy?.flags[name] !== undefined, name);
  });

  test("set fields of ProxyConfig under their own name", () => {
    assert.deepEqual(flagLayers({ zipkinAddress: "zipkin:9411", envoyMetricsService: '{"address":"m:1"}' }), [
      {
        source: "--envoyMetricsService",
        fields: { envoyMetricsService: { address: "m:1" } },
        isPartial: true,
      },
      {
        source: "--zipkinAddress",
        fields: { tracing: { zipkin: { address: "zipkin:9411" } } },
        isPartial: true,
      },
    ]);
  });

  for (const [flag, expected] of [
    ["discoveryAddress", /^--discoveryAddress is deprecated: .*ProxyConfig discoveryAddress/],
    ["trust-domain", /^--trust-domain is deprecated: .*TRUST_DOMAIN/],
    ["mixerIdentity", /^--mixerIdentity has no effect: there is no Mixer/],
  ] as const) {
    test(`--${flag} is one line in the log`, () => {
      const notices = flagNotices({ [flag]: "x" });
      assert.equal(notices.length, 1);
      assert.match(notices[0] ?? "", expected);
    });
  }
});
