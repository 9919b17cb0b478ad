import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describeHeld, heldClusters } from "../../../../src/envoy/admin/held-clusters.ts";

function cluster(name: string, type: string, more: object = {}): unknown {
  return { cluster: { name, type, ...more } };
}

describe("heldClusters()", () => {
  const rows: readonly (readonly [
    what: string,
    stats: object,
    cluster: unknown,
    held: string | undefined,
  ])[] = [
    ["a first look-up", { "cluster.a.update_attempt": 1 }, cluster("a", "STRICT_DNS"), "dns"],
    ["a first look-up of one address", { "cluster.a.update_attempt": 1 }, cluster("a", "LOGICAL_DNS"), "dns"],
    [
      "an answer",
      { "cluster.a.update_attempt": 1, "cluster.a.update_success": 1 },
      cluster("a", "STRICT_DNS"),
      undefined,
    ],
    [
      "a refusal",
      { "cluster.a.update_attempt": 1, "cluster.a.update_failure": 1 },
      cluster("a", "STRICT_DNS"),
      undefined,
    ],
    ["a look-up that has not begun", {}, cluster("a", "STRICT_DNS"), undefined],
    ["fixed addresses", {}, cluster("a", "STATIC"), undefined],
    ["endpoints that were asked for", { "cluster.a.update_attempt": 3 }, cluster("a", "EDS"), "endpoints"],
    [
      "endpoints",
      { "cluster.a.update_attempt": 1, "cluster.a.update_success": 1 },
      cluster("a", "EDS"),
      undefined,
    ],
    [
      "a name that statistics write in another way",
      { "cluster.outbound|80||[fd00__1].update_attempt": 1 },
      cluster("outbound|80||[fd00::1]", "STRICT_DNS"),
      "dns",
    ],
    [
      "a name of its own for statistics",
      { "cluster.short.update_attempt": 1 },
      cluster("long", "STRICT_DNS", { alt_stat_name: "short" }),
      "dns",
    ],
    ["what is no cluster", {}, "nothing", undefined],
  ];
  for (const [what, stats, dumped, held] of rows) {
    test(`sees ${what}`, () => {
      const { dns, endpoints } = heldClusters(new Map(Object.entries(stats) as [string, number][]), [dumped]);
      assert.deepEqual(
        [dns.length, endpoints.length],
        [held === "dns" ? 1 : 0, held === "endpoints" ? 1 : 0],
      );
    });
  }
});

test("what holds Envoy back is named, DNS first, and no more of it than one reads", () => {
  assert.equal(describeHeld({ dns: [], endpoints: [] }), undefined);
  assert.equal(
    describeHeld({ dns: ["legacy"], endpoints: ["a"] }),
    "Envoy waits until DNS answers for its clusters: legacy",
  );
  assert.equal(
    describeHeld({ dns: [], endpoints: ["a", "b", "c", "d", "e"] }),
    "Envoy waits for the control plane's endpoints of its clusters: a, b, c and 2 more",
  );
});
