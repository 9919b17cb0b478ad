import assert from "node:assert/strict";
import { test } from "node:test";
import { readEnvironment } from "../../../../src/config/sources/environment.ts";

test("unset variables take their defaults without a warning", () => {
  const warnings: string[] = [];
  const env = readEnvironment({}, warnings, []);
  assert.equal(env.ENVOY_STATUS_PORT, 15021);
  assert.equal(env.SECRET_TTL, 86_400_000);
  assert.equal(env.TRUST_DOMAIN, "cluster.local");
  assert.deepEqual(warnings, []);
});

test("a value that cannot be read warns, names the variable and falls back", () => {
  const warnings: string[] = [];
  const env = readEnvironment(
    { ENVOY_STATUS_PORT: "many", ISTIO_DELTA_XDS: "yes", SECRET_TTL: "1d" },
    warnings,
    [],
  );
  assert.equal(env.ENVOY_STATUS_PORT, 15021);
  assert.equal(env.ISTIO_DELTA_XDS, true);
  assert.deepEqual(
    warnings.map((line) => line.split(":")[0]),
    ["ENVOY_STATUS_PORT", "ISTIO_DELTA_XDS", "SECRET_TTL"],
  );
});

test("a variable that is set but empty is the empty string, not the default", () => {
  assert.equal(readEnvironment({ TRUST_DOMAIN: "" }, [], []).TRUST_DOMAIN, "");
});

test("booleans are read as Go reads them", () => {
  for (const text of ["0", "f", "F", "FALSE", "false", "False"]) {
    assert.equal(readEnvironment({ ISTIO_DELTA_XDS: text }, [], []).ISTIO_DELTA_XDS, false, text);
  }
});
