/** What the translation makes of every golden scene is what a real Envoy takes, its routes and endpoints included. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  type PushedType,
  pushedTypes,
  resourcesOf,
} from "../../../src/controlplane/networking/pushed-types.ts";
import { viewOf } from "../../../src/controlplane/networking/view.ts";
import { goldenFolder } from "../../support/golden.ts";
import { refusedScenes } from "../../support/golden-envoy.ts";
import { randomMesh } from "../../support/random-mesh.ts";
import { translated } from "../../support/translated.ts";

const scenes = readdirSync(join(goldenFolder, "translate"))
  .filter((name) => name.endsWith(".yaml"))
  .map((file) => {
    const name = file.slice(0, -".yaml".length);
    return { name, resources: translated(name).resources };
  });

test("Envoy takes what every scene is translated to", async () => {
  assert.deepEqual(await refusedScenes(scenes), {});
});

test("Envoy takes what made meshes are translated to", async () => {
  const made = Array.from({ length: 60 }, (_, index) => index + 1).flatMap((seed) => {
    const { model, proxies } = randomMesh(seed);
    return proxies.map((proxy, index) => {
      const view = viewOf(model, proxy);
      const types = Object.values<PushedType>(pushedTypes);
      return {
        name: `${seed}-${index}`,
        resources: types.map((type) => [type, resourcesOf(type, view)] as const),
      };
    });
  });
  assert.deepEqual(await refusedScenes(made), {});
});

test("Envoy refuses what is damaged: the scenes are really looked at", async () => {
  const [scene] = scenes;
  assert.ok(scene !== undefined);
  const damaged = scene.resources.map(([type, list]) => [type, [...list, ...list]] as const);
  const refused = await refusedScenes([{ name: "twice", resources: damaged }]);
  assert.match(refused["twice"] ?? "", /duplicate/);
});
