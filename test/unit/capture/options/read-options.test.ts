import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CaptureTexts, dualStackPlace, readTexts } from "../../../support/capture-cases.ts";

function optionsOf(texts: CaptureTexts, place = dualStackPlace): unknown {
  const read = readTexts(texts, place);
  return read.kind === "valid" ? read.options : read.problems;
}

function problemsOf(texts: CaptureTexts): readonly string[] {
  const read = readTexts(texts);
  return read.kind === "valid" ? [] : read.problems.map(({ source, message }) => `${source}: ${message}`);
}

describe("options of traffic capture", () => {
  test("every problem is told at once, with where the value came from", () => {
    const problems = problemsOf({
      "envoy-port": "0",
      "proxy-uid": "root",
      "istio-inbound-interception-mode": "tproxy",
      ISTIO_INBOUND_PORTS: "80,http",
      "istio-service-cidr": "10.0.0.0/33",
      "istio-service-exclude-cidr": "*",
      "istio-exclude-interfaces": 'a"b',
      ISTIO_OUTBOUND_OWNER_GROUPS: "nobody-knows",
      ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR: "10.0.0.0/8",
      "redirect-dns": "perhaps",
    });
    assert.deepEqual(
      problems.map((problem) => problem.split(":")[0]),
      [
        "--proxy-uid",
        "ISTIO_OUTBOUND_OWNER_GROUPS",
        "ISTIO_INBOUND_PORTS",
        "--envoy-port",
        "--redirect-dns",
        "--istio-inbound-interception-mode",
        "--istio-exclude-interfaces",
        "--istio-service-cidr",
        "--istio-service-exclude-cidr",
        "ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR",
      ],
    );
  });

  for (const [name, value] of [
    ["istio-exclude-interfaces", "eth0 -j ACCEPT"],
    ["istio-exclude-interfaces", "eth0\n-A OUTPUT"],
    ["kube-virt-interfaces", "sixteen-letters-"],
    ["istio-inbound-ports", "65536"],
    ["istio-inbound-ports", "80:90"],
    ["istio-inbound-ports", "-1"],
    ["istio-service-cidr", "fd00::/129"],
    ["istio-service-cidr", "example.com"],
    ["istio-inbound-tproxy-route-table", "254"],
    ["istio-inbound-tproxy-mark", "0"],
    ["proxy-uid", "4294967295"],
    ["inbound-capture-port", "15001"],
  ] as const) {
    test(`--${name} is not ${JSON.stringify(value)}`, () => {
      assert.equal(problemsOf({ [name]: value }).length, 1);
    });
  }

  test("a flag comes before a variable, an empty one is the default, and -p has no variable", () => {
    const options = optionsOf({
      "inbound-capture-port": "16006",
      INBOUND_CAPTURE_PORT: "17006",
      INBOUND_TUNNEL_PORT: "17008",
      ENVOY_PORT: "17001",
      "proxy-uid": "",
      ISTIO_OUTBOUND_OWNER_GROUPS: "",
    });
    assert.partialDeepStrictEqual(options, {
      inboundPort: 16_006,
      tunnelPort: 17_008,
      outboundPort: 15_001,
      proxyUids: [1337],
      proxyGids: [1337],
      outboundGroups: "*",
    });
  });

  test("Envoy's user is the system's, where it knows one", () => {
    assert.partialDeepStrictEqual(optionsOf({}, { ...dualStackPlace, proxyUid: 101 }), {
      proxyUids: [101],
      proxyGids: [101],
    });
  });

  for (const [addresses, dualStack, ipv6] of [
    [["10.1.2.3", "fd00::3"], "false", false],
    [["fd00::3", "10.1.2.3"], "false", false],
    [["fd00::3", "10.1.2.3"], "true", true],
    [["127.0.0.1", "169.254.1.1", "fd00::3"], "false", true],
    [["10.1.2.3", "::1", "fe80::1"], "true", false],
  ] as const) {
    test(`${addresses.join(" and ")}, dual stack ${dualStack}: IPv6 ${ipv6 ? "has rules" : "has none"}`, () => {
      assert.partialDeepStrictEqual(
        optionsOf({ "dual-stack": dualStack }, { ...dualStackPlace, addresses }),
        { ipv6 },
      );
    });
  }

  test("DNS is left alone where no server is named, and that is said", () => {
    const read = readTexts({ "redirect-dns": "true" }, { ...dualStackPlace, nameServers: [] });
    assert.partialDeepStrictEqual(read, { kind: "valid", options: { dns: undefined } });
    assert.ok(read.kind === "valid" && read.warnings.length === 1);
  });
});
