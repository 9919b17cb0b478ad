/** Series of good, bad and absent resources: what Envoy ends with does not depend on how fast they come. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { typeUrl, wildcardTypes } from "../../../src/xds/type-urls.ts";
import type { HeldListeners } from "../../../src/xdsproxy/downstream/held-listeners.ts";
import { eventually } from "../../support/eventually.ts";
import { seeded } from "../../support/mutate.ts";
import { bad, invalid, PlayedEnvoy } from "../../support/played-envoy.ts";
import { ScriptedControlPlane, type ScriptedResources } from "../../support/scripted-control-plane.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { type XdsFixture, xdsFixture } from "../../support/xds-fixture.ts";
import { delta, type Encoding, sotw, valueOf } from "../../support/xds-messages.ts";

const kinds = ["cluster", "listener", "route", "endpoint"] as const;
const names = ["a", "b", "c", "d"];
const rounds = 20;
/** Pushes before Envoy is waited for, and turns of the event loop between two of them at most. */
const paces = [
  { title: "one by one", burst: 1, turns: 0, seeds: [1] },
  { title: "some at once", burst: 5, turns: 0, seeds: [2, 3] },
  { title: "into the work for those before", burst: rounds, turns: 30, seeds: [4, 5, 6] },
  { title: "all at once", burst: rounds, turns: 0, seeds: [7, 8, 9] },
] as const;
type Pace = (typeof paces)[number];

type Texts = Readonly<Record<string, string>>;

/** One push: a name is left out, or has a value that Envoy refuses, has already or has never seen. */
function draw(random: () => number, round: number, serves: Texts): Texts {
  const texts: Record<string, string> = {};
  for (const name of names) {
    const dice = random();
    const before = serves[name];
    if (dice < 0.25) continue;
    if (dice < 0.55) texts[name] = `${dice < 0.4 ? bad : invalid} ${round}`;
    else texts[name] = dice < 0.7 && before !== undefined ? before : String(round);
  }
  return texts;
}

/** What is to serve after a push: of each name the newest that Envoy accepts; what is taken away is gone. */
function after(serves: Texts, pushed: Texts, isAbsentGone: boolean): Texts {
  const next: Record<string, string> = {};
  for (const name of names) {
    const text = pushed[name];
    const isRefused = text !== undefined && (text.startsWith(bad) || text.startsWith(invalid));
    const keeps = text === undefined ? !isAbsentGone : isRefused;
    const value = keeps ? serves[name] : text;
    if (value !== undefined) next[name] = value;
  }
  return next;
}

function resourcesOf(type: string, texts: Texts): ScriptedResources {
  const entries = Object.entries(texts).map(([name, text]): [string, Uint8Array] => [
    name,
    valueOf({ name, bytes: Buffer.from(text) }),
  ]);
  return { [type]: Object.fromEntries(entries) };
}

/** An Envoy whose stream is known. */
async function open(
  agent: XdsFixture,
  encoding: Encoding,
  type: string,
): Promise<{ readonly envoy: PlayedEnvoy; readonly hold: HeldListeners }> {
  const hold = agent.proxy.holdListeners();
  const envoy = new PlayedEnvoy(encoding, () => agent.envoy(encoding));
  envoy.connect();
  envoy.subscribe(type, wildcardTypes.has(type) ? [] : names);
  await eventually("its stream", () => assert.equal(hold.streams.length, 1), {
    withinMs: 60_000,
    everyMs: 2,
  });
  hold.release();
  return { envoy, hold };
}

/** Envoy has answered everything, and what it refused has been dealt with. */
async function settled(plane: ScriptedControlPlane, agent: XdsFixture, hold: HeldListeners): Promise<void> {
  await eventually(
    "everything is answered once",
    () => {
      for (const [nonce, answers] of plane.answers) assert.equal(answers, 1, nonce);
      assert.ok(agent.proxy.lackedBy(hold) !== undefined);
    },
    { withinMs: 60_000, everyMs: 2 },
  );
}

async function play(type: string, encoding: Encoding, { burst, turns }: Pace, seed: number): Promise<void> {
  const random = seeded(seed);
  const isAbsentGone = encoding === delta || wildcardTypes.has(type);
  using folder = temporaryFolder();
  let serves: Texts = { a: "0", b: "0" };
  let pushed = serves;
  await using plane = await ScriptedControlPlane.listen(resourcesOf(type, serves));
  await using agent = await xdsFixture({ address: plane.address }, undefined, {
    cache: {
      ...{ folder: join(folder.path, "cache"), owner: "web", maxTypeBytes: 10_000_000 },
      ...{ writeAfterMs: 5, useAfterMs: 60_000 },
    },
  });
  const { envoy, hold } = await open(agent, encoding, type);
  await eventually("the first", () => assert.deepEqual(envoy.state(type), serves), {
    withinMs: 60_000,
    everyMs: 2,
  });
  let story: Texts[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    pushed = draw(random, round, serves);
    serves = after(serves, pushed, isAbsentGone);
    story.push(pushed);
    plane.push(resourcesOf(type, pushed));
    for (let left = Math.floor(random() * turns); left > 0; left -= 1) await turn();
    if (round % burst !== 0) continue;
    await settled(plane, agent, hold);
    const told = `seed ${seed}, round ${round}: ${JSON.stringify(story)}`;
    assert.deepEqual({ ...envoy.state(type) }, serves, told);
    story = [];
  }
  assert.deepEqual(plane.foreignNonces, []);
  await envoy.disconnect();
  // Nobody sends the next Envoy what the control plane has no more.
  const left = Object.fromEntries(Object.entries(serves).filter(([name]) => name in pushed));
  const next = await open(agent, encoding, type);
  await eventually("the next Envoy", () => assert.deepEqual(next.envoy.state(type), left), {
    withinMs: 60_000,
    everyMs: 2,
  });
}

for (const encoding of [sotw, delta]) {
  for (const kind of kinds) {
    describe(`a series of ${kind}s with ${encoding.method}`, { concurrency: true }, () => {
      for (const pace of paces)
        test(`ends with the newest that Envoy accepts, ${pace.title}`, async () => {
          await Promise.all(pace.seeds.map((seed) => play(typeUrl[kind], encoding, pace, seed)));
        });
    });
  }
}
