import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { mergeBootstrap } from "../../../src/bootstrap/merge.ts";
import { renderBootstrap, TemplateError } from "../../../src/bootstrap/render.ts";
import { parseConfig } from "../../../src/config/parse-config.ts";
import { behaviours } from "../../support/bootstrap-behaviours.ts";
import { configSources } from "../../support/config-sources.ts";
import { renderedBootstrap } from "../../support/rendered-bootstrap.ts";
import { matchesGolden } from "../../support/golden.ts";

describe("bootstrap", () => {
  for (const [behaviour, changes] of Object.entries(behaviours)) {
    test(behaviour, (t) => {
      matchesGolden(t, `bootstrap/${behaviour}.json`, renderedBootstrap(changes));
    });
  }

  test("a Go template is refused with what to do instead", () => {
    const template = { source: "./mine.tmpl", text: '{"node": {"id": "{{ .nodeID }}"}}' };
    const { bootstrap } = parseConfig(configSources());
    assert.equal(bootstrap.kind, "template");
    const parameters = { ...bootstrap.parameters, adminSocketPath: "a" };
    assert.throws(
      () => renderBootstrap(template, parameters),
      (error: unknown) => {
        assert.ok(error instanceof TemplateError);
        assert.match(error.message, /^\.\/mine\.tmpl is a Go template.*ISTIO_BOOTSTRAP_OVERRIDE/);
        return true;
      },
    );
  });

  test("a template that names an unknown hole is refused by name", () => {
    const { bootstrap } = parseConfig(configSources());
    assert.equal(bootstrap.kind, "template");
    const parameters = { ...bootstrap.parameters, adminSocketPath: "a" };
    assert.throws(
      () => renderBootstrap({ source: "mine.yaml", text: "node: { id: { $eval: nodeIdd } }" }, parameters),
      /mine\.yaml cannot be rendered: .*nodeIdd/,
    );
  });

  test("merging appends lists, merges mappings and replaces the rest", () => {
    assert.deepEqual(mergeBootstrap({ a: [1], b: { c: 1, d: 2 }, e: 1 }, { a: [2], b: { c: 3 }, e: null }), {
      a: [1, 2],
      b: { c: 3, d: 2 },
      e: null,
    });
  });
});
