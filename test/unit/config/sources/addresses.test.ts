import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addressFamilies, instanceAddresses, isUnsettled } from "../../../../src/config/sources/addresses.ts";
import { detectCloud } from "../../../../src/config/cloud/detect.ts";
import { readEnvironment } from "../../../../src/config/sources/environment.ts";

describe("instance addresses", () => {
  const eth0 = { name: "eth0", address: "10.1.1.7" };
  const net1 = { name: "net1", address: "192.168.9.7" };
  for (const [what, sources, expected] of [
    [
      "the pod's own first",
      { instanceIp: "fd00::7", interfaces: [eth0], excluded: [] },
      ["fd00::7", "10.1.1.7"],
    ],
    [
      "each once",
      { instanceIp: "10.1.1.7", interfaces: [eth0, net1], excluded: [] },
      ["10.1.1.7", "192.168.9.7"],
    ],
    [
      "none of an excluded interface",
      { instanceIp: "", interfaces: [eth0, net1], excluded: ["net1"] },
      ["10.1.1.7"],
    ],
    ["nothing that is no address", { instanceIp: "web-1", interfaces: [eth0], excluded: [] }, ["10.1.1.7"]],
    ["loopback when there is none", { instanceIp: "", interfaces: [], excluded: [] }, ["127.0.0.1", "::1"]],
  ] as const) {
    test(`have ${what}`, () => {
      assert.deepEqual(instanceAddresses(sources), expected);
    });
  }

  test("are not settled while one is unspecified", () => {
    assert.equal(isUnsettled([eth0], ["eth0"]), false);
    assert.equal(isUnsettled([eth0, { name: "eth1", address: "::" }], []), true);
  });

  test("are not settled while there is none and an interface could get one", () => {
    assert.equal(isUnsettled([], ["eth0"]), true);
    assert.equal(isUnsettled([], []), false, "nothing but loopback");
    assert.equal(isUnsettled([eth0], ["eth0", "bond0"]), false, "one is enough");
  });
});

describe("address families", () => {
  for (const [addresses, isDualStack, expected] of [
    [["10.0.0.1"], true, { localhost: "127.0.0.1", lookup: "V4_ONLY", other: undefined }],
    [["fd00::1"], true, { localhost: "::1", lookup: "V6_ONLY", other: undefined }],
    [["fd00::1", "10.0.0.1"], false, { localhost: "127.0.0.1", lookup: "V4_ONLY", other: undefined }],
    [["fd00::1", "10.0.0.1"], true, { localhost: "::1", lookup: "ALL", other: "0.0.0.0" }],
    [["10.0.0.1", "fd00::1"], true, { localhost: "127.0.0.1", lookup: "ALL", other: "::" }],
  ] as const) {
    test(`of ${addresses.join(" and ")}${isDualStack ? ", dual stack" : ""}`, () => {
      const { localhost, dnsLookupFamily, additional } = addressFamilies(addresses, isDualStack);
      assert.deepEqual({ localhost, lookup: dnsLookupFamily, other: additional?.wildcard }, expected);
    });
  }
});

describe("a cloud", () => {
  for (const [env, dmi, expected] of [
    [{}, "QEMU\nStandard PC", undefined],
    [{}, "Amazon EC2\nt3.large", "aws"],
    [{}, "Microsoft Corporation\nVirtual Machine", "azure"],
    [{}, "Google\nGoogle Compute Engine", "gcp"],
    [{ CLOUD_PLATFORM: "none" }, "Amazon EC2", undefined],
    [{ CLOUD_PLATFORM: "azure" }, "", "azure"],
    [{ GCP_METADATA: "p|1|c|l" }, "", "gcp"],
  ] as const) {
    test(`${JSON.stringify(env)} and ${JSON.stringify(dmi)} mean ${expected ?? "none"}`, () => {
      assert.equal(detectCloud(readEnvironment(env, [], []), dmi), expected);
    });
  }
});
