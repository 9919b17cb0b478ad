import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import type { Call, CallsReport } from "../../support/captured-calls.ts";
import { inOwnNetwork, whyNoOwnNetwork } from "../../support/own-network.ts";

const rows: readonly (readonly [what: string, expected: true | readonly [code: number, said: RegExp]])[] = [
  ["without privilege", [1, /must be root.*NET_ADMIN and NET_RAW.*as it was before/s]],
  ["without a program", [1, /there is no iptables.*must have iptables or nftables/s]],
  ["without an extension", [1, /(?:unknown option|Couldn't load) .*kernel may lack.*as it was before/s]],
  ["what is refused changes nothing", true],
  ["no rules, as root", [126, /127\.0\.0\.6:15002 must end on port 15006: .*ECONNREFUSED.*not in force/s]],
  [
    "rules of both families, as root",
    [0, /proven: 127\.0\.0\.6 port 15002 ends on port 15006, ::6 port 15002 ends on port 15006$/],
  ],
  ["rules that are there, without SETUID", [0, /proven: 192\.0\.2\.1 port 15002 ends on port 15001$/]],
  ["rules of TPROXY", [0, /proven: 127\.0\.0\.6 port 15002 ends on port 15006$/]],
  ["Envoy is there already", [1, /cannot be proven while Envoy's port is taken/]],
  [
    "trace of a call to another pod",
    [
      0,
      /^TCP from 10\.55\.0\.1 to 10\.77\.0\.1 port 80 through pod0, of user 0 and group 0\n.*nat ISTIO_REDIRECT 1: TCP goes to port 15001\.\nBy the kernel's rules it lands on port 15001 of this pod\.\nA real connection has landed on port 15001 of this pod, with pid \d+/s,
    ],
  ],
  ["trace where nobody listens", [1, /was not taken: .*ECONNREFUSED.*not what these rules do/]],
  ["trace of a call from outside", [0, /by pod0\n.*it lands on port 15006 of this pod\.$/s]],
  [
    "trace by a plan",
    [1, /By the plan it is not captured.*has landed on port 15001 .*not what these rules do/s],
  ],
  ["trace by nft's rules", [0, /it lands on port 15001.*has landed on port 15001/s]],
  ["trace without rules", [0, /no rule applies\n.*it is not captured.*has landed on port 15001/s]],
  ["killed half-way: something is there", true],
  ["killed half-way: the next call", [0, /^applied/]],
  ["killed half-way: the next call repairs", true],
  ["killed half-way: cleaned", true],
  ["killed before the first rule: routes are there", true],
  ["killed before the first rule: cleaned", true],
  ["several at once: each", true],
  ["several at once: one does it", true],
  ["several at once: the rules", true],
  ["cleaned at last", true],
  ["in another namespace", [0, /^applied: IPv6 routes, IPv4 rules \(nft\), IPv6 rules/]],
  ["in another namespace: nothing here", true],
  ["in another namespace: IPv6 as the pod has it", true],
  ["in another namespace: DNS to every server", true],
  ["in another namespace: again", [0, /^rules are as they should be$/]],
  ["in another namespace: cleaned", true],
  ["no such namespace", [64, /--network-namespace: .*\/nonexistent/]],
];

describe("calls of traffic capture, in a network namespace", { skip: whyNoOwnNetwork() }, () => {
  let report: CallsReport = {};
  before(async () => {
    report = await inOwnNetwork<CallsReport>({
      sysctls: {},
      program: join(import.meta.dirname, "../../support/captured-calls.ts"),
      options: {},
    });
  });

  for (const [what, expected] of rows) {
    test(what, () => {
      const seen = report[what];
      if (expected === true) return assert.equal(seen, true);
      const { code, said } = seen as Call;
      assert.match(said, expected[1]);
      assert.equal(code, expected[0]);
    });
  }

  test("nothing else was asked", () => {
    assert.deepEqual(Object.keys(report).toSorted(), rows.map(([what]) => what).toSorted());
  });
});
