/** What one proxy gets of a mesh, as one golden file per behaviour; and each resource is one that Envoy's messages can hold. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { encodeParts } from "../../../../src/controlplane/networking/encode-parts.ts";
import { pushedTypes } from "../../../../src/controlplane/networking/pushed-types.ts";
import { typeUrl } from "../../../../src/xds/type-urls.ts";
import { compactJson, goldenFolder, matchesGolden } from "../../../support/golden.ts";
import { translated } from "../../../support/translated.ts";

const behavioursIn = (extension: string): readonly string[] =>
  readdirSync(join(goldenFolder, "translate"))
    .filter((name) => name.endsWith(extension))
    .map((name) => name.slice(0, -extension.length));

describe("the translation", () => {
  for (const behaviour of behavioursIn(".yaml")) {
    test(behaviour, (t) => {
      const { resources, shown } = translated(behaviour);
      matchesGolden(t, `translate/${behaviour}.json`, shown, compactJson);
      for (const [type, list] of resources)
        assert.deepEqual(
          list.flatMap(({ name, json }) => encodeParts(type, name, json).faults),
          [],
        );
    });
  }

  test("types are pushed in an order in which what is referred to comes first", () => {
    assert.deepEqual(
      Object.values(pushedTypes).map((type) => type.typeUrl),
      [
        typeUrl.cluster,
        typeUrl.endpoint,
        typeUrl.secret,
        typeUrl.extension,
        typeUrl.listener,
        typeUrl.route,
        typeUrl.nameTable,
        typeUrl.proxyConfig,
      ],
    );
  });

  test("every output has its input", () => {
    const inputs = new Set(behavioursIn(".yaml"));
    assert.deepEqual(
      behavioursIn(".json").filter((behaviour) => !inputs.has(behaviour)),
      [],
    );
  });
});
