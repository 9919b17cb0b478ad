import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseConfig } from "../../../src/config/parse-config.ts";
import { ConfigError } from "../../../src/schema/config-problem.ts";
import { configSources } from "../../support/config-sources.ts";

const capture = { ISTIO_META_DNS_CAPTURE: "true" };

function dnsOf(env: Record<string, string>, proxyType = "sidecar") {
  return parseConfig({ ...configSources({ env }), proxyType }).dns;
}

describe("the DNS proxy", () => {
  const rows: readonly (readonly [
    what: string,
    env: Record<string, string>,
    isOn: boolean,
    type?: string,
  ])[] = [
    ["is off unless asked for", {}, false],
    ["is on with DNS capture", capture, true],
    ["whatever Go reads as true", { ISTIO_META_DNS_CAPTURE: "T" }, true],
    ["is off where that is false", { ISTIO_META_DNS_CAPTURE: "false" }, false],
    ["is off on a gateway, where nothing is captured", capture, false, "router"],
    ["is on there where it is asked for by name", { ISTIO_META_ENABLE_DNS_SERVER: "true" }, true, "router"],
    ["is on by ProxyConfig", { PROXY_CONFIG: '{"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}}' }, true],
  ];
  for (const [what, env, isOn, type] of rows)
    test(what, () => {
      assert.equal(dnsOf(env, type) !== undefined, isOn);
    });

  const addresses: readonly (readonly [text: string, listen: object])[] = [
    ["", { kind: "localhost", port: 15_053 }],
    ["localhost:1053", { kind: "localhost", port: 1_053 }],
    [":53", { kind: "every address", port: 53 }],
    ["127.0.0.9:53", { kind: "address", host: "127.0.0.9", port: 53 }],
    ["[::1]:53", { kind: "address", host: "::1", port: 53 }],
  ];
  for (const [text, listen] of addresses)
    test(`listens on ${text || "what is usual"}`, () => {
      assert.deepEqual(dnsOf({ ...capture, DNS_PROXY_ADDR: text })?.listen, listen);
    });

  for (const text of ["15053", "localhost", "localhost:0", "localhost:70000", "example.com:53"])
    test(`does not listen on ${text}`, () => {
      assert.throws(() => dnsOf({ ...capture, DNS_PROXY_ADDR: text }), ConfigError);
    });

  test("waits for no table where it is the system's resolver, and reads the file that was kept for it", () => {
    const { gateMs, resolvConfPaths } = dnsOf({ ...capture, DNS_PROXY_ADDR: ":53" }) ?? assert.fail();
    assert.deepEqual([gateMs, resolvConfPaths], [0, ["/var/lib/istio/resolv.conf", "/etc/resolv.conf"]]);
    assert.equal(dnsOf(capture)?.gateMs, 15_000);
  });

  test("knows its pod", () => {
    assert.deepEqual(dnsOf({ ...capture, POD_NAMESPACE: "prod" })?.place, {
      namespace: "prod",
      domain: "prod.svc.cluster.local",
    });
  });
});
