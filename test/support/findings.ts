/** What a finding must say. */
import assert from "node:assert/strict";
import type { Finding, Verdict } from "../../src/doctor/finding.ts";

/** Fails with the whole finding. `remedy` is for those that have one. */
export function expectFinding(
  finding: Finding | undefined,
  verdict: Verdict,
  seen: RegExp,
  remedy?: RegExp,
): void {
  const text = JSON.stringify(finding);
  assert.equal(finding?.verdict, verdict, text);
  assert.match(finding.seen, seen, text);
  if (finding.verdict === "ok") assert.equal(remedy, undefined, "a finding that is ok has no remedy");
  else assert.match(finding.remedy, remedy ?? /./, text);
}
