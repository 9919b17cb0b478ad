/** Alerts that operators take along: Prometheus' own tool takes them, and each is sent for what it is about and nothing else. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { listAt, textAt } from "../../../src/lifecycle/json-path.ts";
import { hasPrometheus, promtool } from "../../support/prometheus.ts";

const rules = join(import.meta.dirname, "../../../docker/prometheus-rules.yaml");
const cases = join(import.meta.dirname, "prometheus-rules.yaml");

describe("the alerts for Prometheus", () => {
  test("are taken by promtool", async (t) => {
    if (!hasPrometheus(t)) return;
    const { code, output } = await promtool(["check", "rules", rules]);
    assert.equal(code, 0, output.join("\n"));
  });

  test("are sent for what they are about, and for nothing else", async (t) => {
    if (!hasPrometheus(t)) return;
    const { code, output } = await promtool(["test", "rules", cases]);
    assert.equal(code, 0, output.join("\n"));
  });

  test("have a case each that sends them, and one that does not", () => {
    const alerts = listAt(parse(readFileSync(rules, "utf8")), "groups")
      .flatMap((group) => listAt(group, "rules"))
      .map((rule) => textAt(rule, "alert"));
    const asked = listAt(parse(readFileSync(cases, "utf8")), "tests").flatMap((one) =>
      listAt(one, "alert_rule_test"),
    );
    for (const alert of alerts) {
      const own = asked.filter((one) => textAt(one, "alertname") === alert);
      const sent = own.map((one) => listAt(one, "exp_alerts").length > 0);
      assert.deepEqual(new Set(sent), new Set([true, false]), alert);
    }
  });
});
