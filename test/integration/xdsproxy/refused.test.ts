/** What becomes of a resource that Envoy refuses: for every type, with both variants of the protocol. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { typeUrl, wildcardTypes } from "../../../src/xds/type-urls.ts";
import type { HeldListeners } from "../../../src/xdsproxy/held-listeners.ts";
import type { Refusal } from "../../../src/xdsproxy/refusals.ts";
import { eventually } from "../../support/eventually.ts";
import { PlayedEnvoy } from "../../support/played-envoy.ts";
import { ScriptedControlPlane } from "../../support/scripted-control-plane.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { type XdsFixture, xdsFixture } from "../../support/xds-fixture.ts";
import { delta, type Encoding, sotw, valueOf } from "../../support/xds-messages.ts";

const types = ["cluster", "listener", "route", "endpoint", "extension", "secret"] as const;

/** The resources of one type, whose bytes are these texts. */
type Texts = Readonly<Record<string, string>>;

/** A control plane, an agent, and Envoys that come and go. */
class Scene implements AsyncDisposable {
  readonly type: string;
  readonly encoding: Encoding;
  readonly plane: ScriptedControlPlane;
  readonly folder: string;
  readonly #stack: AsyncDisposableStack;
  readonly #hasCache: boolean;
  #agent: XdsFixture;

  private constructor(
    [type, encoding, hasCache]: readonly [string, Encoding, boolean],
    stack: AsyncDisposableStack,
    parts: { plane: ScriptedControlPlane; folder: string; agent: XdsFixture },
  ) {
    this.type = type;
    this.encoding = encoding;
    this.#hasCache = hasCache;
    this.#stack = stack;
    this.plane = parts.plane;
    this.folder = parts.folder;
    this.#agent = parts.agent;
  }

  static async open(type: string, encoding: Encoding, texts: Texts, hasCache = true): Promise<Scene> {
    const stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const plane = stack.use(await ScriptedControlPlane.listen(resourcesOf(type, texts)));
    const agent = await startAgent(plane.address, folder, hasCache);
    const scene = new Scene([type, encoding, hasCache], stack, { plane, folder, agent });
    stack.defer(() => scene.agent[Symbol.asyncDispose]());
    return scene;
  }

  get agent(): XdsFixture {
    return this.#agent;
  }

  get refused(): readonly Refusal[] {
    return this.#agent.proxy.state.current.refused;
  }

  /** An Envoy that has just started. */
  envoy(names: readonly string[]): PlayedEnvoy {
    const envoy = new PlayedEnvoy(this.encoding, () => this.#agent.envoy(this.encoding));
    envoy.connect();
    envoy.subscribe(this.type, wildcardTypes.has(this.type) ? [] : names);
    return envoy;
  }

  /** An Envoy that is to take over. */
  async newcomer(names: readonly string[], hold: HeldListeners): Promise<PlayedEnvoy> {
    const envoy = this.envoy(names);
    await eventually("its stream", () => assert.equal(hold.streams.length, 1), {
      withinMs: 5_000,
      everyMs: 5,
    });
    hold.release();
    return envoy;
  }

  /** These the newcomer lacks, and another Envoy has. */
  async lacks(hold: HeldListeners, names: readonly string[]): Promise<void> {
    await eventually(
      `lacks ${names.join()}`,
      () =>
        assert.deepEqual(
          this.#agent.proxy.lackedBy(hold)?.map(({ name }) => name),
          names,
        ),
      { withinMs: 5_000, everyMs: 5 },
    );
  }

  push(texts: Texts): void {
    this.plane.push(resourcesOf(this.type, texts));
  }

  /** The agent's container is restarted; its folder stays. */
  async restartAgent(): Promise<void> {
    await this.#agent[Symbol.asyncDispose]();
    this.#agent = await startAgent(this.plane.address, this.folder, this.#hasCache);
  }

  async has(envoy: PlayedEnvoy, texts: Texts): Promise<void> {
    await eventually(JSON.stringify(texts), () => assert.deepEqual(envoy.state(this.type), texts), {
      withinMs: 5_000,
      everyMs: 5,
    });
  }

  /** These are refused, with what Envoy has in their place. */
  async refuses(expected: Readonly<Record<string, Refusal["serves"]>>): Promise<void> {
    await eventually(
      `refused: ${JSON.stringify(expected)}`,
      () =>
        assert.deepEqual(
          Object.fromEntries(this.refused.map(({ name, serves }) => [name, serves])),
          expected,
        ),
      { withinMs: 5_000, everyMs: 5 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whatever happens, the control plane hears of no response that is not its own.
    assert.deepEqual(this.plane.foreignNonces, []);
    await this.#stack.disposeAsync();
  }
}

function resourcesOf(type: string, texts: Texts): Record<string, Record<string, Uint8Array>> {
  const entries = Object.entries(texts).map(([name, text]): [string, Uint8Array] => [
    name,
    valueOf({ name, bytes: Buffer.from(text) }),
  ]);
  return { [type]: Object.fromEntries(entries) };
}

async function startAgent(address: string, folder: string, hasCache: boolean): Promise<XdsFixture> {
  return await xdsFixture({ address }, undefined, {
    cache: hasCache
      ? {
          ...{ folder: join(folder, "cache"), owner: "web", maxTypeBytes: 10_000_000 },
          ...{ writeAfterMs: 10, useAfterMs: 60_000 },
        }
      : undefined,
  });
}

/** What an Envoy had after each response never lacks what the one before it serves. */
function assertNeverLess(scene: Scene, envoy: PlayedEnvoy, names: readonly string[]): void {
  const [first] = envoy.history.get(scene.type) ?? [];
  for (const name of names)
    assert.ok(first !== undefined && name in first, `${name} is missing after the first response`);
}

for (const encoding of [sotw, delta]) {
  for (const kind of types) {
    const type = typeUrl[kind];
    const names = ["a", "b"];
    const open = (texts: Texts = { a: "1", b: "1" }, hasCache = true): Promise<Scene> =>
      Scene.open(type, encoding, texts, hasCache);

    describe(`a refused ${kind} with ${encoding.method}`, { concurrency: true }, () => {
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
          withinMs: 5_000,
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
        assert.match(
          metrics,
          new RegExp(`xds_refused_resources\\{type="${type}",serves="last accepted"\\} 1\n`),
        );
      });

      test("is not missed by the Envoy after a crash", async () => {
        await using scene = await open();
        const first = scene.envoy(names);
        await scene.has(first, { a: "1", b: "1" });
        scene.push({ a: "bad 2", b: "1" });
        await scene.refuses({ a: "last accepted" });
        await first.disconnect();
        await scene.refuses({ a: "last accepted" });
        const second = scene.envoy(names);
        await scene.has(second, { a: "1", b: "1" });
        assertNeverLess(scene, second, names);
      });

      test("is not missed after the agent's restart, while the control plane still sends it", async () => {
        await using scene = await open();
        const first = scene.envoy(names);
        await scene.has(first, { a: "1", b: "1" });
        scene.push({ a: "bad 2", b: "1" });
        await scene.refuses({ a: "last accepted" });
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
          { withinMs: 5_000, everyMs: 5 },
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

      test("is forgotten once the control plane has corrected it", async () => {
        await using scene = await open();
        const first = scene.envoy(names);
        await scene.has(first, { a: "1", b: "1" });
        scene.push({ a: "bad 2", b: "1" });
        await scene.refuses({ a: "last accepted" });
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
        const first = scene.envoy(names);
        await scene.has(first, { a: "1", b: "1" });
        scene.push({ a: "bad 2", b: "1" });
        await scene.refuses({ a: "last accepted" });
        await first.disconnect();
        scene.push({ a: "3", b: "1" });
        const second = scene.envoy(names);
        await scene.has(second, { a: "3", b: "1" });
        await scene.refuses({});
        assertNeverLess(scene, second, names);
      });

      test("is forgotten when it is removed", async () => {
        await using scene = await open();
        const first = scene.envoy(names);
        await scene.has(first, { a: "1", b: "1" });
        scene.push({ a: "bad 2", b: "1" });
        await scene.refuses({ a: "last accepted" });
        scene.push({ b: "1" });
        // What is asked for by name is given up by Envoy.
        if (!wildcardTypes.has(type)) first.unsubscribe(type, "a");
        await scene.has(first, { b: "1" });
        await scene.refuses({});
        const second = scene.envoy(["b"]);
        await scene.has(second, { b: "1" });
        await scene.refuses({});
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

      test("stands when the control plane's connection ends and comes back", async () => {
        await using scene = await open();
        const first = scene.envoy(names);
        await scene.has(first, { a: "1", b: "1" });
        scene.push({ a: "bad 2", b: "1" });
        await scene.refuses({ a: "last accepted" });
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
  }
}
