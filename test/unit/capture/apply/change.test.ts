import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chooseBackEnd } from "../../../../src/capture/apply/back-end.ts";
import { changeInput } from "../../../../src/capture/apply/change.ts";
import { normalRule } from "../../../../src/capture/apply/normal-rule.ts";
import { parseSaved } from "../../../../src/capture/apply/saved.ts";
import { heldState, plannedState } from "../../../../src/capture/apply/table-state.ts";
import { planFor } from "../../../support/capture-cases.ts";

const foreign = [
  "*nat",
  ":PREROUTING ACCEPT [0:0]",
  ":OUTPUT ACCEPT [0:0]",
  ":CNI - [0:0]",
  "-A PREROUTING -i net1 -j RETURN",
  "-A OUTPUT -j CNI",
  "-A CNI -d 10.0.0.1/32 -j ACCEPT",
];

describe("a change of rules", () => {
  test("two spellings of one rule are one", () => {
    const pairs = [
      ["-p tcp --dport 80 -j RETURN", "-p tcp -m tcp --dport 80 -j RETURN"],
      ["-o lo ! -d 127.0.0.1/32 -p tcp -j X", "! -d 127.0.0.1/32 -o lo -p tcp -j X"],
      ["-j MARK --set-mark 1337", "-j MARK --set-xmark 0x539/0xffffffff"],
      [
        "! -d 127.0.0.1/32 -p tcp -j TPROXY --tproxy-mark 1337/0xffffffff --on-port 15006",
        "! -d 127.0.0.1/32 -p tcp -j TPROXY --on-port 15006 --on-ip 0.0.0.0 --tproxy-mark 0x539/0xffffffff",
      ],
      ["-d 0.0.0.0/0 -j X", "-j X"],
      [
        "-p udp --dport 53 -j REDIRECT --to-port 15053",
        "-p udp -m udp --dport 53 -j REDIRECT --to-ports 15053",
      ],
    ];
    for (const [one = "", other = ""] of pairs) assert.equal(normalRule(one), normalRule(other));
  });

  test("rules that differ stay different", () => {
    const rules = [
      "-p tcp --dport 80 -j RETURN",
      "-p tcp ! --dport 80 -j RETURN",
      "-p tcp --sport 80 -j RETURN",
      "-m mark --mark 1 -j RETURN",
      "-m connmark --mark 1 -j RETURN",
      "-j MARK --set-xmark 0x539/0xff",
      "-j MARK --set-mark 1337",
    ];
    assert.equal(new Set(rules.map(normalRule)).size, rules.length);
  });

  test("takes out nothing of others, not even a rule that is the same as one of ours", () => {
    const [plan] = planFor({ "istio-exclude-interfaces": "net1" });
    assert.ok(plan !== undefined);
    const wanted = plannedState(plan, "nat");
    const before = heldState("nat", parseSaved(foreign).tables.nat);
    assert.deepEqual(before.guests, []);
    const rules = [...wanted.chains].flatMap(([chain, list]) => list.map((rule) => `-A ${chain} ${rule}`));
    const applied = [
      ...foreign.slice(0, 4),
      ...[...wanted.chains.keys()].map((chain) => `:${chain} - [0:0]`),
      ...foreign.slice(4, 6),
      ...wanted.guests.map(({ chain, specification }) => `-A ${chain} ${specification}`),
      ...rules,
    ];
    const held = heldState("nat", parseSaved(applied).tables.nat);
    assert.equal(changeInput([{ held, wanted }]), "", "a second run has nothing to do");
    const removal = changeInput([{ held, wanted: plannedState({ rules: [] }, "nat") }]);
    assert.equal(removal.match(/^-D PREROUTING -i net1/gm)?.length, 1);
    assert.doesNotMatch(removal, /CNI/);
    assert.doesNotMatch(removal, /^-A/m);
  });

  test("what captures is put in before what captured is taken out, whatever else is new", () => {
    const plan = (mode: string) => {
      const [ipv4] = planFor({ "istio-inbound-ports": "*", "istio-inbound-interception-mode": mode });
      assert.ok(ipv4 !== undefined);
      return ipv4;
    };
    const tables = (from: string, to: string): readonly string[] => {
      const changes = (["mangle", "nat"] as const).map((table) => ({
        held: plannedState(plan(from), table),
        wanted: plannedState(plan(to), table),
      }));
      return changeInput(changes).match(/^\*\w+/gm) ?? [];
    };
    // The new rules of nat must be there before the first connection that mangle captures.
    assert.deepEqual(tables("REDIRECT", "TPROXY"), ["*nat", "*mangle", "*nat"]);
    assert.deepEqual(tables("TPROXY", "REDIRECT"), ["*nat", "*mangle"]);
  });
});

describe("chooseBackEnd()", () => {
  const none: readonly string[] = [];
  const ours = ["*nat", ":OUTPUT ACCEPT [0:0]", ":ISTIO_OUTPUT - [0:0]", "-A OUTPUT -j ISTIO_OUTPUT"];
  const choose = (legacy: readonly string[] | undefined, nft: readonly string[] | undefined) => {
    const backEnd = (kind: "legacy" | "nft", lines: readonly string[] | undefined) => {
      const programs = { save: "", restore: "" };
      const ipv4 = { programs, saved: parseSaved(lines ?? []) };
      return lines === undefined ? [] : [{ kind, held: { ipv4, ipv6: undefined } }];
    };
    return chooseBackEnd([...backEnd("legacy", legacy), ...backEnd("nft", nft)], undefined)?.kind;
  };
  for (const [what, legacy, nft, expected] of [
    ["nothing anywhere", none, none, "nft"],
    ["rules of others in the old tables", foreign, none, "legacy"],
    ["rules of others in the new tables", none, foreign, "nft"],
    ["rules of others in both", foreign, foreign, "nft"],
    ["ours in the old tables, others' in both", [...foreign, ...ours], foreign, "legacy"],
    ["empty old tables, which reading may have made", ["*nat", ":OUTPUT ACCEPT [0:0]"], none, "nft"],
    ["one program only", none, undefined, "legacy"],
    ["none", undefined, undefined, undefined],
  ] as const) {
    test(`${what}: ${expected ?? "no"} iptables`, () => {
      assert.equal(choose(legacy, nft), expected);
    });
  }
});
