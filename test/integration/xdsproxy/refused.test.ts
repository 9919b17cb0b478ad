/** What becomes of a resource that Envoy refuses: what it costs, and what the next Envoy has. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { wildcardTypes } from "../../../src/xds/type-urls.ts";
import { eventually } from "../../support/eventually.ts";
import { assertNeverLess, forEachRefused } from "../../support/refusal-scene.ts";

const names = ["a", "b"];

forEachRefused(({ kind, open, type }) => {
  test("costs itself only, and an Envoy that takes over has the last accepted from the first moment", async () => {
    await using scene = await open();
    const first = scene.envoy(names);
    await scene.has(first, { a: "1", b: "1" });
    scene.push({ a: "bad 2", b: "2" });
    await scene.has(first, { a: "1", b: "2" });
    await scene.refuses({ a: "last accepted" });
    const told = scene.plane.refusals.length;
    using hold = scene.agent.proxy.holdListeners();
    const second = await scene.newcomer(names, hold);
    await scene.has(second, { a: "1", b: "2" });
    assertNeverLess(scene, second, names);
    await eventually("a refusal of its own", () => assert.ok(scene.plane.refusals.length > told), {
      withinMs: 60_000,
      everyMs: 5,
    });
    await scene.refuses({ a: "last accepted" });
    await scene.lacks(hold, []);
    assert.deepEqual(scene.agent.proxy.lostResources(), []);
    // The refusal goes on when the Envoy that told it first is gone.
    await first.disconnect();
    await scene.refuses({ a: "last accepted" });
    const lines = scene.agent.lines.filter((line) => line.includes("Envoy refused configuration"));
    assert.equal(lines.length, 1, lines.join());
    const metrics = await scene.agent.metrics.render();
    assert.match(metrics, new RegExp(`xds_refused_resources\\{type="${type}",serves="last accepted"\\} 1\n`));
  });

  test("is not missed by the Envoy after a crash", async () => {
    await using scene = await open();
    const first = await scene.refusing(names);
    await first.disconnect();
    await scene.refuses({ a: "last accepted" });
    const second = scene.envoy(names);
    await scene.has(second, { a: "1", b: "1" });
    assertNeverLess(scene, second, names);
  });

  if (!wildcardTypes.has(type))
    test("is not missed by an Envoy whose first stream ended before it had everything", async () => {
      await using scene = await open();
      const first = await scene.refusing(names);
      await first.disconnect();
      const second = scene.envoy(["b"]);
      await scene.has(second, { b: "1" });
      await second.disconnect();
      second.subscribe(type, ["a"]);
      const before = second.history.get(type)?.length ?? 0;
      second.connect();
      await scene.has(second, { a: "1", b: "1" });
      const [next] = second.history.get(type)?.slice(before) ?? [];
      assert.ok(next !== undefined && "a" in next, "it had to do without it for a moment");
      await scene.refuses({ a: "last accepted" });
    });

  test("is not missed after the agent's restart, while the control plane still sends it", async () => {
    await using scene = await open();
    const first = await scene.refusing(names);
    await first.disconnect();
    await scene.restartAgent();
    const second = scene.envoy(names);
    // Secrets are never on disk.
    const isKept = kind !== "secret";
    await scene.has(second, isKept ? { a: "1", b: "1" } : { b: "1" });
    await scene.refuses({ a: isKept ? "last accepted" : "nothing" });
    if (isKept) assertNeverLess(scene, second, names);
    await eventually(
      "said anew",
      () => assert.ok(scene.agent.lines.some((line) => line.includes("Envoy refused configuration"))),
      { withinMs: 60_000, everyMs: 5 },
    );
  });

  test("is given back its place when nobody could foresee it", async () => {
    await using scene = await open();
    const first = scene.envoy(names);
    await scene.has(first, { a: "1", b: "1" });
    await first.disconnect();
    scene.push({ a: "bad 2", b: "2" });
    const second = scene.envoy(names);
    await scene.has(second, { a: "1", b: "2" });
    await scene.refuses({ a: "last accepted" });
  });

  test("that was never accepted keeps nothing back, and no Envoy has it", async () => {
    await using scene = await open();
    const all = [...names, "c"];
    const first = scene.envoy(all);
    await scene.has(first, { a: "1", b: "1" });
    scene.push({ a: "2", b: "1", c: "bad 1" });
    await scene.has(first, { a: "2", b: "1" });
    await scene.refuses({ c: "nothing" });
    assert.deepEqual(scene.agent.proxy.lostResources(), []);
    using hold = scene.agent.proxy.holdListeners();
    const second = await scene.newcomer(all, hold);
    await scene.has(second, { a: "2", b: "1" });
    await scene.lacks(hold, []);
    await scene.refuses({ c: "nothing" });
  });

  test("by an Envoy without a predecessor leaves it as Envoy by itself would be", async () => {
    await using scene = await open({ a: "bad 1", b: "1" });
    const first = scene.envoy(names);
    await scene.refuses({ a: "nothing" });
    await scene.has(first, { b: "1" });
    const sources = new Set(scene.agent.proxy.exchanges().map(({ source }) => source));
    // Readiness counts the updates of clusters and listeners that Envoy has accepted.
    assert.equal(sources.has("agent"), !wildcardTypes.has(type));
    assert.deepEqual(scene.agent.proxy.lostResources(), []);
  });

  test("without a cache is told to be lost to whoever takes over", async () => {
    await using scene = await open(undefined, false);
    const first = scene.envoy(names);
    await scene.has(first, { a: "1", b: "1" });
    scene.push({ a: "bad 2", b: "2" });
    await scene.has(first, { a: "1", b: "2" });
    await scene.refuses({ a: "last accepted" });
    const lost = scene.agent.proxy.lostResources().map(({ name }) => name);
    // Secrets are kept in memory all the same.
    assert.deepEqual(lost, kind === "secret" ? [] : ["a"]);
    using hold = scene.agent.proxy.holdListeners();
    const second = await scene.newcomer(names, hold);
    await scene.has(second, kind === "secret" ? { a: "1", b: "2" } : { b: "2" });
    await scene.lacks(hold, kind === "secret" ? [] : ["a"]);
  });
});
