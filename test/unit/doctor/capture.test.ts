import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { plannedTables, type RuleTable } from "../../../src/capture/trace/rule-table.ts";
import { parseIptablesRule } from "../../../src/capture/trace/parse-iptables.ts";
import { judgeCapture, type SeenProbe } from "../../../src/doctor/capture.ts";
import type { Finding } from "../../../src/doctor/finding.ts";
import { captureCases, type CaptureTexts, planFor } from "../../support/capture-cases.ts";

const all = captureCases["everything"] ?? {};

function tablesOf(texts: CaptureTexts): readonly RuleTable[] {
  const [ipv4] = planFor(texts);
  assert.ok(ipv4 !== undefined);
  return plannedTables(ipv4);
}

function rules(ipv4: readonly RuleTable[]): Finding | undefined {
  return judgeCapture({
    held: { kind: "read", tables: { ipv4, ipv6: [] } },
    interface: "eth0",
    probe: undefined,
  })[0];
}

function probe(outcome: SeenProbe["outcome"]): Finding | undefined {
  const held = { kind: "unreadable", message: "no" } as const;
  return judgeCapture({
    held,
    interface: "eth0",
    probe: { uid: 1_337, to: "127.0.0.6:15002", expected: 15_006, outcome },
  })[1];
}

/** With one chain changed. */
function altered(
  chain: string,
  change: (specifications: RuleTable) => ReturnType<typeof parseIptablesRule>[],
): readonly RuleTable[] {
  return tablesOf(all).map((table) =>
    table.table === "nat" ? { ...table, chains: new Map([...table.chains, [chain, change(table)]]) } : table,
  );
}

describe("doctor looks at traffic capture:", () => {
  test("rules that do what they should, and where they bring connections", () => {
    const finding = rules(tablesOf(all));
    assert.equal(finding?.verdict, "ok");
    assert.match(finding.seen, /another pod lands on port 15001.*outside lands on port 15006/);
    assert.match(
      rules(tablesOf(captureCases["tproxy"] ?? {}))?.seen ?? "",
      /15006 of this pod, with addresses/,
    );
  });

  test("rules of a pod or a machine whose Envoy is another user's", () => {
    for (const name of ["one-user", "two-users"]) {
      const finding = rules(tablesOf(captureCases[name] ?? assert.fail(name)));
      assert.equal(finding?.verdict, "ok", finding?.seen);
    }
  });

  test("no rules, rules that nothing leads to, and rules that capture Envoy itself", () => {
    assert.match(rules([])?.seen ?? "", /there are none/);
    const cutOff = rules(altered("OUTPUT", () => []));
    assert.deepEqual([cutOff?.verdict, /does not come to them/.test(cutOff?.seen ?? "")], ["warning", true]);
    const circle = rules(altered("ISTIO_OUTPUT", () => [parseIptablesRule("-j ISTIO_REDIRECT")]));
    assert.deepEqual([circle?.verdict, /round in circles/.test(circle?.seen ?? "")], ["failure", true]);
  });

  test("a rule of somebody else that comes first and is not understood is named", () => {
    const foreign = altered("OUTPUT", ({ chains }) => [
      parseIptablesRule("-m statistic --mode random -j OTHERS"),
      ...((chains.get("OUTPUT") ?? []) as ReturnType<typeof parseIptablesRule>[]),
    ]);
    assert.match(rules(foreign)?.seen ?? "", /not understood: nat OUTPUT 1$/);
  });

  test("a real connection lands where it should, or does not", () => {
    assert.equal(probe({ kind: "here", port: 15_006 })?.verdict, "ok");
    assert.match(probe({ kind: "here", port: 15_002 })?.seen ?? "", /on port 15002 instead of 15006/);
    assert.match(probe({ kind: "elsewhere" })?.seen ?? "", /leaves this pod/);
    assert.match(probe({ kind: "failed", message: "ECONNREFUSED" })?.seen ?? "", /ECONNREFUSED/);
  });
});
