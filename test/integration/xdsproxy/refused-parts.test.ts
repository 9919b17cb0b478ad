/** What is left of a response that Envoy refuses in part, and of those that follow it at once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { wildcardTypes } from "../../../src/xds/type-urls.ts";
import { eventually } from "../../support/eventually.ts";
import { assertNeverLess, forEachRefused, type Texts } from "../../support/refusal-scene.ts";
import { delta, sotw } from "../../support/xds-messages.ts";

const names = ["a", "b"];

forEachRefused(({ encoding, open, type }) => {
  test("is found among many, be the response refused as a whole or not", async () => {
    for (const how of ["bad", "invalid"]) {
      const many = Array.from({ length: 40 }, (_, index) => `r${index}`);
      const texts = (of: (name: string) => string): Texts =>
        Object.fromEntries(many.map((name) => [name, of(name)]));
      await using scene = await open(texts(() => "1"));
      const first = scene.envoy(many);
      await scene.has(
        first,
        texts(() => "1"),
      );
      const culprits = ["r3", "r17", "r39"];
      const isCulprit = (name: string): boolean => culprits.includes(name);
      scene.push(texts((name) => (isCulprit(name) ? `${how} 2` : "2")));
      const left = texts((name) => (isCulprit(name) ? "1" : "2"));
      await scene.has(first, left);
      await scene.refuses(Object.fromEntries(culprits.map((name) => [name, "last accepted"])));
      const second = scene.envoy(many);
      await scene.has(second, left);
      assertNeverLess(scene, second, many);
    }
  });

  test("is not brought back by what was accepted before once the control plane has said something newer", async () => {
    for (const last of ["3", undefined]) {
      await using scene = await open();
      const first = scene.envoy(names);
      await scene.has(first, { a: "1", b: "1" });
      const { resume } = first.pause();
      scene.push({ a: "bad 2", b: "1" });
      scene.push(last === undefined ? { b: "1" } : { a: last, b: "1" });
      resume();
      const isGone = last === undefined && (encoding === delta || wildcardTypes.has(type));
      const left: Texts =
        last === undefined ? (isGone ? { b: "1" } : { a: "1", b: "1" }) : { a: last, b: "1" };
      await scene.has(first, left);
      // Another response of the type shows that all before it is done with.
      scene.push({ ...left, b: "4" });
      await scene.has(first, { ...left, b: "4" });
      assert.deepEqual(first.state(type)["a"], left["a"]);
      const since = (first.history.get(type) ?? []).findIndex((has) => has["a"] === last);
      const later = (first.history.get(type) ?? []).slice(since === -1 ? 0 : since);
      if (last !== undefined) assert.ok(later.every((has) => has["a"] === last));
    }
  });

  test("whose response Envoy took in part is taken back by a later one that is refused as well", async () => {
    await using scene = await open();
    const first = scene.envoy(names);
    await scene.has(first, { a: "1", b: "1" });
    const { resume } = first.pause();
    scene.push({ a: "2", b: "bad 2" });
    scene.push({ a: "1", b: "invalid 3" });
    resume();
    await scene.refuses({ b: "last accepted" });
    await scene.has(first, { a: "1", b: "1" });
  });

  test("in the first response of a stream costs nothing that the next one brings", async () => {
    await using scene = await open();
    const first = scene.envoy(names);
    await scene.has(first, { a: "1", b: "1" });
    await first.disconnect();
    scene.push({ a: "bad 2", b: "2" });
    const sent = scene.plane.answers.size;
    const second = scene.envoy(names);
    const { resume } = second.pause();
    await eventually("the first response", () => assert.ok(scene.plane.answers.size > sent), {
      withinMs: 5_000,
      everyMs: 5,
    });
    scene.push({ a: "bad 2", b: "3" });
    resume();
    await scene.refuses({ a: "last accepted" });
    await scene.has(second, { a: "1", b: "3" });
    await second.disconnect();
    scene.push({ a: "bad 2", b: "bad 4" });
    const third = scene.envoy(names);
    await scene.has(third, { a: "1", b: "3" });
  });

  test("keeps nothing that the same response takes away, and brings nothing of it back", async () => {
    // In state of the world nobody takes away what is asked for by name.
    if (encoding === sotw && !wildcardTypes.has(type)) return;
    for (const how of ["bad", "invalid"]) {
      for (const others of [{}, { c: "2", d: "2" }]) {
        const same = Object.keys(others).length === 0 ? {} : { c: "1", d: "1" };
        await using scene = await open({ a: "1", b: "1", ...same });
        const first = scene.envoy(["a", "b", "c", "d"]);
        await scene.has(first, { a: "1", b: "1", ...same });
        scene.push({ a: `${how} 2`, ...others });
        await scene.has(first, { a: "1", ...others });
        await scene.refuses({ a: "last accepted" });
        scene.push({ a: `${how} 2`, b: `${how} 3`, ...others });
        await scene.refuses({ a: "last accepted", b: "nothing" });
        await scene.has(first, { a: "1", ...others });
      }
    }
  });

  test("time and again ends with what is good, and nothing of it is left", async () => {
    await using scene = await open();
    const first = scene.envoy(names);
    await scene.has(first, { a: "1", b: "1" });
    for (let round = 0; round < 60; round += 1)
      scene.push({ a: round % 3 === 0 ? `${round}` : `bad ${round}`, b: `${round}` });
    await scene.has(first, { a: "57", b: "59" });
    await scene.refuses({ a: "last accepted" });
    scene.push({ a: "60", b: "60" });
    await scene.has(first, { a: "60", b: "60" });
    await scene.refuses({});
  });
});
