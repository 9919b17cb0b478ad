import assert from "node:assert/strict";
import { test } from "node:test";
import { readListeners } from "../../../../src/envoy/admin/listeners.ts";
import { refusedListeners } from "../../../../src/envoy/swap/proof.ts";

/** As Envoy's configuration dump tells of it. */
function listener(name: string | undefined, state: { serves?: boolean; error?: string }): object {
  return {
    ...(name === undefined ? {} : { name }),
    ...(state.serves === true ? { active_state: { listener: { name } } } : {}),
    ...(state.error === undefined ? {} : { error_state: { details: state.error } }),
  };
}

const running = readListeners([
  listener("a", { serves: true }),
  listener("b", { serves: true, error: "no such filter" }),
  listener("c", { error: "no such filter" }),
]);

test("a listener that a newcomer refuses is a fault when the running Envoy serves one of that name", () => {
  const cases: readonly (readonly [config: object, isFault: boolean])[] = [
    [listener("a", { serves: true }), false],
    [listener("a", { serves: true, error: "no such filter" }), false],
    [listener("a", { error: "no such filter" }), true],
    [listener("b", { error: "no such filter" }), true],
    [listener("c", { error: "no such filter" }), false],
    [listener("new", { error: "no such filter" }), false],
    [listener(undefined, { error: "no such filter" }), false],
  ];
  for (const [config, isFault] of cases)
    assert.equal(refusedListeners([config], running).length > 0, isFault, JSON.stringify(config));
  assert.match(
    refusedListeners([cases[2]?.[0]], running)[0] ?? "",
    /^listener a was refused: no such filter$/,
  );
});

test("of an Envoy that cannot be asked nobody knows what would be lost", () => {
  assert.deepEqual(refusedListeners([listener("a", { error: "no such filter" })], undefined), []);
});
