/** How long a refused resource is refused: until it is corrected, removed, or no Envoy wants it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { wildcardTypes } from "../../../src/xds/type-urls.ts";
import { eventually } from "../../support/eventually.ts";
import { assertNeverLess, forEachRefused } from "../../support/refusal-scene.ts";

const names = ["a", "b"];

forEachRefused(({ open, type }) => {
  test("is forgotten once the control plane has corrected it", async () => {
    await using scene = await open();
    const first = await scene.refusing(names);
    scene.push({ a: "3", b: "1" });
    await scene.has(first, { a: "3", b: "1" });
    await scene.refuses({});
    const gone = scene.agent.lines.filter((line) => line.includes("refuses configuration no more"));
    assert.equal(gone.length, 1, gone.join());
    assert.doesNotMatch(await scene.agent.metrics.render(), /xds_refused_resources\{/);
    const second = scene.envoy(names);
    await scene.has(second, { a: "3", b: "1" });
  });

  test("is corrected for the next Envoy too, though it was refused to the end of the last one", async () => {
    await using scene = await open();
    const first = await scene.refusing(names);
    await first.disconnect();
    scene.push({ a: "3", b: "1" });
    const second = scene.envoy(names);
    await scene.has(second, { a: "3", b: "1" });
    await scene.refuses({});
    assertNeverLess(scene, second, names);
  });

  test("is forgotten when it is removed", async () => {
    await using scene = await open();
    const first = await scene.refusing(names);
    scene.push({ b: "1" });
    // What is asked for by name is given up by Envoy.
    if (!wildcardTypes.has(type)) first.unsubscribe(type, "a");
    await scene.has(first, { b: "1" });
    await scene.refuses({});
    const second = scene.envoy(["b"]);
    await scene.has(second, { b: "1" });
    await scene.refuses({});
  });

  test("stands when the control plane's connection ends and comes back", async () => {
    await using scene = await open();
    const first = await scene.refusing(names);
    const told = scene.plane.refusals.length;
    scene.plane.disconnect();
    await first.ended;
    first.connect();
    await eventually("refused again", () => assert.ok(scene.plane.refusals.length > told), {
      withinMs: 5_000,
      everyMs: 5,
    });
    await scene.refuses({ a: "last accepted" });
    await scene.has(first, { a: "1", b: "1" });
    scene.push({ a: "3", b: "1" });
    await scene.has(first, { a: "3", b: "1" });
    await scene.refuses({});
  });

  test("of a newcomer that fails says nothing of the Envoy that serves", async () => {
    await using scene = await open();
    const first = scene.envoy(names);
    await scene.has(first, { a: "1", b: "1" });
    const second = scene.envoy([...names, "c"]);
    await scene.has(second, { a: "1", b: "1" });
    await second.disconnect();
    scene.push({ a: "2", b: "1" });
    await scene.has(first, { a: "2", b: "1" });
    assert.equal(scene.agent.proxy.state.current.kind, "connected");
    // It is heard again when it wants something no more.
    scene.push({ a: "bad 3", b: "1" });
    await scene.refuses({ a: "last accepted" });
    scene.push({ b: "1" });
    if (!wildcardTypes.has(type)) first.unsubscribe(type, "a");
    await scene.refuses({});
  });
});
