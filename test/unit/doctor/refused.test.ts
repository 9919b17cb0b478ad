import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeRefused } from "../../../src/doctor/refused.ts";
import { expectFinding } from "../../support/findings.ts";

const route = {
  ...{ type: "RouteConfiguration", name: "80", reason: "invalid perl operator: (?=" },
  ...{ since: "2026-11-29T16:00:00.000Z", serves: "last accepted" },
};

test("doctor names what Envoy refuses, why, what that costs, and what to do", () => {
  expectFinding(judgeRefused([])[0], "ok", /refuses nothing/);
  const [stale, nothing] = judgeRefused([route, { ...route, name: "81", serves: "nothing" }]);
  const seen =
    /RouteConfiguration "80" since 2026.*\(invalid perl operator: \(\?=\).*last accepted one serves on/;
  expectFinding(stale, "warning", seen, /correct/);
  expectFinding(nothing, "warning", /"81".*nothing serves in its place/, /correct/);
});

test("many refusals are counted, not listed", () => {
  const findings = judgeRefused(Array.from({ length: 12 }, () => route));
  assert.equal(findings.length, 6);
  expectFinding(findings[5], "warning", /7 more/, /outrider xds/);
});
