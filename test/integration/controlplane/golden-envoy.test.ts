/** What the translation makes of every golden scene is what a real Envoy takes, its routes and endpoints included. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { goldenFolder } from "../../support/golden.ts";
import { refusedScenes } from "../../support/golden-envoy.ts";
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

test("Envoy refuses what is damaged: the scenes are really looked at", async () => {
  const [scene] = scenes;
  assert.ok(scene !== undefined);
  const damaged = scene.resources.map(([type, list]) => [type, [...list, ...list]] as const);
  const refused = await refusedScenes([{ name: "twice", resources: damaged }]);
  assert.match(refused["twice"] ?? "", /duplicate/);
});
