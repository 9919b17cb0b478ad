/** What one control plane tells another is what was written: every scene of the translation comes to the same. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ConfigObject } from "../../../../src/controlplane/config/objects.ts";
import {
  mcpKinds,
  mcpResourceOf,
  mcpTypesOf,
  objectInMcp,
} from "../../../../src/controlplane/config/mcp-resource.ts";
import { parseObjectOf } from "../../../../src/controlplane/config/parse-documents.ts";
import { pushedTypes, resourcesOf } from "../../../../src/controlplane/networking/pushed-types.ts";
import { viewOf } from "../../../../src/controlplane/networking/view.ts";
import { buildModel } from "../../../../src/controlplane/model/build-model.ts";
import { goldenFolder } from "../../../support/golden.ts";
import { translationScene } from "../../../support/translation-scene.ts";

const scenes = readdirSync(join(goldenFolder, "translate"))
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => name.slice(0, -".yaml".length));

/** A message does not tell an empty list from none, as Istio itself does not. */
const indistinct = ["sidecar-ingress-empty"];

/** What changes with how an extension is written. */
const shown = (json: unknown): unknown =>
  JSON.parse(
    JSON.stringify(json, (name, value: unknown) =>
      name === "ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION" ? "a version" : value,
    ),
  );

function told(object: ConfigObject): ConfigObject {
  if (object.kind === "MeshConfig" || !mcpKinds.includes(object.kind)) return object;
  const [typeUrl = ""] = mcpTypesOf(object.kind);
  const written = objectInMcp(typeUrl, mcpResourceOf(object, "1"));
  const { objects, problems } = parseObjectOf(object.source, written);
  assert.deepEqual(
    problems.filter(({ severity }) => severity === undefined),
    [],
    JSON.stringify(written),
  );
  return objects[0] ?? assert.fail(`${object.kind} ${object.name}`);
}

describe("what another control plane is told comes to the same", () => {
  for (const scene of scenes.filter((name) => !indistinct.includes(name)))
    test(scene, () => {
      const { objects, model, proxy } = translationScene(scene);
      const same = buildModel(objects.map(told), model.settings);
      const before = buildModel(objects, model.settings);
      for (const type of Object.values(pushedTypes))
        assert.deepEqual(
          resourcesOf(type, viewOf(same, proxy)).map(({ name, json }) => ({ name, json: shown(json) })),
          resourcesOf(type, viewOf(before, proxy)).map(({ name, json }) => ({ name, json: shown(json) })),
        );
    });
});
