/**
 * Meshes put together from golden scenes, with everything that changes what a proxy is told (EnvoyFilters, Telemetries, extensions,
 * Secrets, policies, the mesh's settings), of which one thing changes after the other: what comes of it is what comes of nothing.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type ConfigObject, objectId } from "../../../../src/controlplane/config/objects.ts";
import { ModelBuilder } from "../../../../src/controlplane/model/build-model.ts";
import type { PublishedModel } from "../../../../src/controlplane/model/configured-models.ts";
import { type ReducedServices, withUnhealthy } from "../../../../src/controlplane/model/health.ts";
import type { Model } from "../../../../src/controlplane/model/model.ts";
import type { Proxy } from "../../../../src/controlplane/model/proxy.ts";
import type { Snapshot } from "../../../../src/controlplane/push/translations.ts";
import { Translations } from "../../../../src/controlplane/push/translations.ts";
import { Watch } from "../../../../src/lifecycle/watch.ts";
import { goldenFolder } from "../../../support/golden.ts";
import { Choice } from "../../../support/random-choice.ts";
import { translationScene } from "../../../support/translation-scene.ts";

const meshes = 4;
const changes = 8;
const settings = { trustDomains: ["cluster.local"], rootNamespace: "istio-system" };

const behaviours = readdirSync(join(goldenFolder, "translate"))
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => name.slice(0, -".yaml".length));

/** One value somewhere in it is another, or is gone. */
function mutated(choice: Choice, value: unknown): unknown {
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const at = choice.below(entries.length || 1);
  const isGone = Array.isArray(value) && value.length > 1 && choice.below(3) === 0;
  if (Array.isArray(value))
    return (value as readonly unknown[]).flatMap((each, index) =>
      index !== at ? [each] : isGone ? [] : [mutated(choice, each)],
    );
  return Object.fromEntries(
    entries.map(([key, each], index) => [key, index === at ? mutated(choice, each) : each]),
  );
}

type Objects = readonly ConfigObject[];

function changed(choice: Choice, objects: Objects, pool: Objects): Objects {
  const at = choice.below(objects.length);
  const object = objects[at];
  if (object === undefined) return pool;
  const instead = (next: object): Objects =>
    objects.map((each, index) => (index === at ? { ...each, ...next } : each));
  return choice.of<() => Objects>(
    () => {
      const coming = choice.of(...pool);
      return [...objects.filter((each) => objectId(each) !== objectId(coming)), coming];
    },
    () => objects.filter((_, index) => index !== at),
    () => instead({ spec: choice.of(...pool.filter(({ kind }) => kind === object.kind)).spec }),
    () => instead({ createdAtMs: object.createdAtMs === undefined ? 5 : undefined }),
    () => instead({ spec: mutated(choice, object.spec) }),
    () => (object.kind === "WorkloadEntry" ? instead({ isUnhealthy: true }) : objects),
    () => {
      const moved = instead({ namespace: choice.of("demo", "shop", "istio-system") });
      return new Set(moved.map(objectId)).size === moved.length ? moved : objects;
    },
  )();
}

function contentOf({ resources }: Snapshot): object {
  const all = [...resources].flatMap(([type, set]) =>
    [...set.values()].map(({ name, version }) => [`${type} ${name}`, version] as const),
  );
  return Object.fromEntries(all.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** From nothing; undefined where something of it cannot be translated, and stays as it was. */
async function wanted(model: Model, proxy: Proxy): Promise<object | undefined> {
  let isWhole = true;
  const tell = (_: string, faults: readonly object[]): void => {
    if (faults.length > 0) isWhole = false;
  };
  const models = new Watch<PublishedModel>({ number: 1, model });
  using translation = new Translations(models, { tell }).open();
  const content = contentOf(await translation.take(proxy));
  return isWhole ? content : undefined;
}

test(`${meshes} meshes of golden scenes that change ${changes} times are translated as from nothing`, async () => {
  let compared = 0;
  for (let seed = 1; seed <= meshes; seed += 1) {
    const choice = new Choice(seed);
    const scenes = Array.from({ length: 6 }, () => translationScene(choice.of(...behaviours)));
    const pool = scenes.flatMap(({ objects }) => objects);
    const proxies = scenes.flatMap(({ proxy }): readonly Proxy[] => [
      { ...proxy, isProven: choice.below(2) === 0 },
      { ...proxy, interceptionMode: "NONE", isUnprivileged: choice.below(2) === 0 },
    ]);
    let objects: Objects = [...new Map(pool.map((object) => [objectId(object), object])).values()];
    const builder = new ModelBuilder(settings);
    const reduced: ReducedServices = new WeakMap();
    const models = new Watch<PublishedModel>({ number: 1, model: builder.build(objects) });
    const translations = new Translations(models, { tell: () => undefined });
    const open = proxies.map((proxy) => ({ proxy, translation: translations.open() }));
    for (let change = 1; change <= changes; change += 1) {
      objects = changed(choice, objects, pool);
      const ill = choice.below(3) === 0 ? proxies.slice(0, 1) : [];
      models.set({ number: change + 1, model: withUnhealthy(builder.build(objects), ill, reduced) });
      const anew = withUnhealthy(new ModelBuilder(settings).build(structuredClone(objects)), ill);
      const snapshots = await Promise.all(open.map(({ proxy, translation }) => translation.take(proxy)));
      for (const [index, snapshot] of snapshots.entries()) {
        const proxy = proxies[index];
        const expected = proxy && (await wanted(anew, proxy));
        if (expected === undefined) continue;
        compared += 1;
        assert.deepEqual(contentOf(snapshot), expected, `seed ${seed}, change ${change}, ${proxy?.id}`);
      }
    }
    for (const { translation } of open) translation[Symbol.dispose]();
  }
  assert.ok(compared > (meshes * changes * 12) / 2, `${compared} were compared`);
});
