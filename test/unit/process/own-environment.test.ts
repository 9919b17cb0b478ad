import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import {
  addedVariables,
  hiddenEnvironment,
  hiddenVariables,
  launchedVariable,
  originalEnvironment,
} from "../../../src/process/own-environment.ts";

/** What the launcher does, see `launcher.c`. */
function launch(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  let bits = 0;
  const launched: Record<string, string> = {};
  addedVariables.forEach(([name, value], index) => {
    if (name in env) return;
    bits |= 1 << index;
    launched[name] = value;
  });
  launched[launchedVariable] = String.fromCharCode("0".charCodeAt(0) + bits);
  for (const [name, value] of Object.entries(env))
    launched[hiddenVariables.includes(name) ? `\u0001${name.slice(1)}` : name] = value;
  return launched;
}

describe("originalEnvironment()", () => {
  test("is what the launcher got, whatever that was", () => {
    const name = fc.oneof(
      fc.constantFrom(...hiddenVariables, ...addedVariables.map(([added]) => added)),
      fc.string({ minLength: 1 }).filter((text) => !/[=\0]/.test(text) && text !== "__proto__"),
    );
    fc.assert(
      fc.property(fc.dictionary(name, fc.string()), (env) => {
        delete env[launchedVariable];
        assert.deepEqual({ ...originalEnvironment(launch(env)) }, { ...env });
      }),
    );
  });

  test("is the environment as it is without the launcher", () => {
    const env = { NODE_OPTIONS: "--x", MALLOC_ARENA_MAX: "1" };
    assert.equal(originalEnvironment(env), env);
  });

  test("is what the sources were started with, which start anew once where something is to be hidden", () => {
    const name = fc.oneof(
      fc.constantFrom(...hiddenVariables),
      fc.constantFrom("PATH", "spring.datasource.url", "NODE_NAME", "NODE_ENV"),
    );
    fc.assert(
      fc.property(fc.dictionary(name, fc.string()), (env) => {
        const given = { ...env };
        const own = hiddenEnvironment(given);
        const isToHide = Object.keys(given).some((one) => hiddenVariables.includes(one));
        assert.equal(own !== undefined, isToHide);
        if (own === undefined) return;
        for (const one of hiddenVariables) assert.equal(own[one], undefined);
        assert.equal(hiddenEnvironment(own), undefined, "it would start anew for ever");
        assert.deepEqual({ ...originalEnvironment(own) }, given);
      }),
    );
  });

  test("no hidden name is taken for another", () => {
    assert.equal(new Set(hiddenVariables.map((name) => name.slice(1))).size, hiddenVariables.length);
  });
});
