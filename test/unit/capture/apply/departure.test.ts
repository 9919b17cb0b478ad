import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { transparentConnections } from "../../../../src/capture/apply/departure.ts";
import { heldMarks, plannedMarks } from "../../../../src/capture/apply/marks.ts";
import { parseSaved } from "../../../../src/capture/apply/saved.ts";
import { withDeparting } from "../../../../src/capture/plan/departing.ts";
import type { CapturePlan } from "../../../../src/capture/plan/plan.ts";
import { restoreInput } from "../../../../src/capture/render/iptables.ts";
import { nftScript } from "../../../../src/capture/render/nft.ts";
import { planFor } from "../../../support/capture-cases.ts";

const own = ["127.0.0.1", "10.55.0.1", "::1", "fd55::1"];
const mapped = "0000000000000000FFFF0000";

/** A row of proc(5): an end here, an end elsewhere, a state, and the inode of who holds it. */
function row(local: string, state: string, inode = "4711"): string {
  const rest = `00000000:00000000 00:00000000 00000000  1337        0 ${inode} 1 0000000000000000 20 4 30 10 -1`;
  return `   0: ${local}:CAFE 0100370A:1F90 ${state} ${rest}`.trim();
}

describe("connections that outlive TPROXY", () => {
  const foreign = "0200370A";
  for (const [what, rows, count] of [
    ["with the caller's address", [row(foreign, "01")], 1],
    ["with the caller's address of IPv6", [row("000055FD000000000000000002000000", "01")], 1],
    ["in a socket of both families", [row(`${mapped}${foreign}`, "01")], 1],
    ["being made", [row(foreign, "02")], 1],
    ["half-closed by Envoy, which still reads", [row(foreign, "05")], 1],
    ["half-closed, of nobody", [row(foreign, "05", "0")], 0],
    ["with data under way, of nobody any more", [row(foreign, "04", "0")], 1],
    ["over", [row(foreign, "06", "0")], 0],
    ["a transparent listener", [row(foreign, "0A")], 0],
    ["of this pod", [row("0100370A", "01"), row(`${mapped}0100370A`, "01")], 0],
    ["from Envoy's own address of loopback", [row("0600007F", "01"), row(`${mapped}0600007F`, "01")], 0],
    ["an address of IPv6 that looks like loopback", [row("000055FD00000000000000000000007F", "01")], 1],
    ["the table's head", ["sl  local_address rem_address   st tx_queue rx_queue tr tm->when"], 0],
  ] as const) {
    test(`${what}: ${count}`, () => {
      assert.equal(transparentConnections(rows, own), count);
    });
  }

  test("are known by the mark of the rules that they came by, and of those that wait for their end", () => {
    const redirect = planFor({ "istio-inbound-ports": "*" });
    const tproxy = planFor({
      ...{ "istio-inbound-ports": "*", "istio-inbound-interception-mode": "TPROXY" },
      "istio-inbound-tproxy-mark": "4242",
    });
    const byIptables = (plan: CapturePlan): readonly number[] =>
      heldMarks(
        plan.map((family) => parseSaved(asHeld(restoreInput(family)).split("\n")).tables),
        [],
      );
    const byNft = (plan: CapturePlan): readonly number[] => heldMarks([], nftScript(plan).split("\n"));
    for (const marks of [byIptables, byNft]) {
      assert.deepEqual(marks(redirect), []);
      assert.deepEqual(marks(tproxy), [4_242]);
      assert.deepEqual(marks(withDeparting(redirect, [4_242])), [4_242]);
    }
    assert.deepEqual(plannedMarks(tproxy), [4_242]);
    assert.deepEqual(plannedMarks(withDeparting(redirect, [4_242])), []);
  });
});

/** A rule in a chain of the kernel's is ours where it has a copy. */
function asHeld(input: string): string {
  return input
    .split("*")
    .map((table) => {
      const copies = [...table.matchAll(/^-A ((?:PREROUTING|OUTPUT) .*)$/gm)].map(([, rule]) => rule);
      return [
        table.trimEnd().replace(/COMMIT$/, ""),
        ...copies.map((rule) => `-A ISTIO_ADDED_${rule}`),
        "",
      ].join("\n");
    })
    .join("*");
}
