import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { proofsOf } from "../../../src/capture/proof/proof.ts";
import { planFor } from "../../support/capture-cases.ts";

const all = { "istio-inbound-ports": "*", "istio-service-cidr": "*" };
const proxy = { uid: 1_337, gid: 1_337 };
const root = { uid: 0, gid: 0 };

describe("the connection that proves the rules", () => {
  test("is the proxy's call into its pod, in each family", () => {
    assert.deepEqual(proofsOf(planFor({ ...all, "dual-stack": "true" }), proxy, 15_002), [
      { family: "ipv4", from: "127.0.0.1", to: "127.0.0.6", port: 15_002, landsOn: 15_006 },
      { family: "ipv6", from: "::1", to: "::6", port: 15_002, landsOn: 15_006 },
    ]);
  });

  test("is a call to another pod where whoever calls is not the proxy", () => {
    const elsewhere = [{ family: "ipv4", from: undefined, to: "192.0.2.1", port: 15_002, landsOn: 16_001 }];
    assert.deepEqual(proofsOf(planFor({ ...all, "envoy-port": "16001" }), root, 15_002), elsewhere);
  });

  test("is none where nothing of whoever calls is captured", () => {
    assert.deepEqual(proofsOf(planFor({ "istio-inbound-ports": "*" }), root, 15_002), []);
    const wide = { ...all, ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR: "127.0.0.0/8" };
    assert.deepEqual(proofsOf(planFor(wide), proxy, 15_002), []);
  });
});
