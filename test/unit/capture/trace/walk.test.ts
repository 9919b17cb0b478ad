import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Family } from "../../../../src/capture/options/address.ts";
import type { FamilyPlan } from "../../../../src/capture/plan/plan.ts";
import { ruleSpecification, tableNames } from "../../../../src/capture/render/iptables.ts";
import { nftScript } from "../../../../src/capture/render/nft.ts";
import type { Packet } from "../../../../src/capture/trace/packet.ts";
import { parseIptablesRule } from "../../../../src/capture/trace/parse-iptables.ts";
import { parseNftTables } from "../../../../src/capture/trace/parse-nft.ts";
import { plannedTables, type RuleTable } from "../../../../src/capture/trace/rule-table.ts";
import { type Landing, walk } from "../../../../src/capture/trace/walk.ts";
import { captureCases, type CaptureTexts, planFor } from "../../../support/capture-cases.ts";

const out: Packet = {
  direction: "out",
  family: "ipv4",
  protocol: "tcp",
  source: "10.1.2.3",
  destination: "10.96.0.1",
  sourcePort: undefined,
  destinationPort: 80,
  interface: "eth0",
  uid: 1_000,
  gid: 1_000,
};
const incoming: Packet = {
  ...out,
  direction: "in",
  source: "10.9.9.9",
  destination: "10.1.2.3",
  uid: undefined,
  gid: undefined,
};
const toItself: Packet = { ...out, destination: "10.1.2.3", interface: "lo" };
const proxy = { uid: 1_337, gid: 1_337 };

function familyPlan(texts: CaptureTexts, family: Family = "ipv4"): FamilyPlan {
  const plan = planFor(texts).find((candidate) => candidate.family === family);
  assert.ok(plan !== undefined);
  return plan;
}

/** As the kernel gives iptables' rules back, but for their spelling. */
function savedTables(plan: FamilyPlan): readonly RuleTable[] {
  return plannedTables(plan).map(({ table, chains }) => ({
    table,
    chains: new Map(
      [...chains].map(([name, rules]) => [
        name,
        (rules as FamilyPlan["rules"]).map((rule) => parseIptablesRule(ruleSpecification(rule))),
      ]),
    ),
  }));
}

function listedTables(plan: FamilyPlan): readonly RuleTable[] {
  return parseNftTables(
    nftScript([plan])
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== ""),
    plan.family,
  );
}

const all: CaptureTexts = { "istio-inbound-ports": "*", "istio-service-cidr": "*" };
const tproxy: CaptureTexts = { ...all, "istio-inbound-interception-mode": "TPROXY" };
const outbound: Landing = { kind: "redirected", port: 15_001 };
const inbound: Landing = { kind: "redirected", port: 15_006 };
const asSent: Landing = { kind: "as-sent" };

const rows: readonly (readonly [what: string, texts: CaptureTexts, packet: Packet, landing: Landing])[] = [
  ["the application calls a service", all, out, outbound],
  ["the proxy calls a service", all, { ...out, ...proxy }, asSent],
  ["nothing is captured", {}, out, asSent],
  ["an excluded port", { ...all, "istio-local-outbound-ports-exclude": "80" }, out, asSent],
  ["an excluded block", { ...all, "istio-service-exclude-cidr": "10.96.0.0/16" }, out, asSent],
  ["a block that is captured", { "istio-service-cidr": "10.96.0.0/16" }, out, outbound],
  ["no block that is captured", { "istio-service-cidr": "10.97.0.0/16" }, out, asSent],
  ["an excluded group", { ...all, ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE: "1000" }, out, asSent],
  ["a group of those captured", { ...all, ISTIO_OUTBOUND_OWNER_GROUPS: "7,1000" }, out, outbound],
  ["no group of those captured", { ...all, ISTIO_OUTBOUND_OWNER_GROUPS: "7,8" }, out, asSent],
  ["an excluded interface", { ...all, "istio-exclude-interfaces": "eth+" }, out, asSent],
  ["another interface", { ...all, "istio-exclude-interfaces": "net1" }, out, outbound],
  ["a connection from outside", all, incoming, inbound],
  ["an excluded inbound port", { ...all, "istio-local-exclude-ports": "80" }, incoming, asSent],
  ["HBONE from outside", all, { ...incoming, destinationPort: 15_008 }, asSent],
  ["the application calls itself", all, toItself, asSent],
  ["the proxy calls its own pod", all, { ...toItself, ...proxy }, inbound],
  ["Envoy calls the application", all, { ...toItself, ...proxy, source: "127.0.0.6" }, asSent],
  [
    "DNS to the cluster's server",
    { ...all, "redirect-dns": "true" },
    { ...out, protocol: "udp", destination: "10.96.0.10", destinationPort: 53 },
    { kind: "redirected", port: 15_053 },
  ],
  [
    "DNS to another server",
    { ...all, "redirect-dns": "true" },
    { ...out, protocol: "udp", destination: "10.1.1.1", destinationPort: 53 },
    asSent,
  ],
  ["UDP", all, { ...out, protocol: "udp" }, asSent],
  ["from outside with TPROXY", tproxy, incoming, { kind: "transparent", port: 15_006 }],
  ["the application calls itself with TPROXY", tproxy, toItself, asSent],
  // nat comes before mangle is asked again.
  ["the proxy calls its own pod with TPROXY", tproxy, { ...toItself, ...proxy }, inbound],
];

describe("a packet's way", () => {
  for (const [what, texts, packet, landing] of rows) {
    test(`${what}: by the plan, by iptables' rules and by nft's`, () => {
      const plan = familyPlan(texts);
      for (const tables of [plannedTables(plan), savedTables(plan), listedTables(plan)]) {
        const trace = walk(tables, packet);
        assert.deepEqual([trace.landing, trace.unclear], [landing, []]);
      }
    });
  }

  test("every golden plan is understood whole when it comes back from iptables and nft", () => {
    for (const texts of Object.values(captureCases)) {
      for (const plan of planFor(texts)) {
        const planned = plannedTables(plan);
        const others = [savedTables(plan), listedTables(plan)];
        const foreign = others
          .flat()
          .flatMap(({ chains }) => [...chains.values()].flat())
          .flatMap(({ matches, action }) => [...matches, action].filter((part) => part?.kind === "foreign"));
        assert.deepEqual(foreign, []);
        for (const packet of rows.map(([, , given]) => given)) {
          const { landing } = walk(planned, packet);
          for (const tables of others) assert.deepEqual(walk(tables, packet).landing, landing);
        }
      }
    }
  });

  test("the rules that it meets are named in their order, with their places", () => {
    const met = walk(plannedTables(familyPlan(all)), out).met;
    assert.deepEqual(
      met.map(({ table, chain, number }) => `${table} ${chain} ${number}`),
      ["nat OUTPUT 1", "nat ISTIO_OUTPUT 9", "nat ISTIO_REDIRECT 1"],
    );
  });

  test("a rule of somebody else that is not understood is said, and taken for one that does not apply", () => {
    const foreign: RuleTable = {
      table: "nat",
      chains: new Map([
        [
          "OUTPUT",
          [parseIptablesRule('-p tcp -m comment --comment "kube it" -m statistic --mode random -j KUBE')],
        ],
      ]),
    };
    const trace = walk([foreign, ...plannedTables(familyPlan(all))], out);
    assert.deepEqual(trace.landing, outbound);
    assert.deepEqual(
      trace.unclear.map(({ chain, number }) => [chain, number]),
      [["OUTPUT", 1]],
    );
  });

  test("what nobody can know makes a rule unclear, not true", () => {
    const texts = { ...all, "istio-exclude-interfaces": "eth0" };
    const trace = walk(plannedTables(familyPlan(texts)), { ...out, interface: undefined });
    assert.deepEqual(trace.landing, outbound);
    assert.ok(trace.unclear.length > 0);
  });

  test("chains that lead in a circle end", () => {
    const circle: RuleTable = {
      table: "nat",
      chains: new Map([
        ["OUTPUT", [parseIptablesRule("-j A")]],
        ["A", [parseIptablesRule("-j A")]],
      ]),
    };
    assert.deepEqual(walk([circle], out).landing, asSent);
  });

  test("the tables are asked in the kernel's order", () => {
    assert.deepEqual([...tableNames].toSorted(), ["mangle", "nat", "raw"]);
    const drop = (table: RuleTable["table"]): RuleTable => ({
      table,
      chains: new Map([["OUTPUT", [parseIptablesRule("-j DROP")]]]),
    });
    const trace = walk([drop("nat"), drop("raw"), drop("mangle")], out);
    assert.deepEqual([trace.landing, trace.met.map(({ table }) => table)], [{ kind: "dropped" }, ["raw"]]);
  });
});
