import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { finishBootstrap } from "../../../src/bootstrap/build.ts";
import { mergeBootstrap } from "../../../src/bootstrap/merge.ts";
import { renderBootstrap, TemplateError } from "../../../src/bootstrap/render.ts";
import { parseConfig } from "../../../src/config/parse-config.ts";
import { configSources, type SourceChanges } from "../../support/config-sources.ts";
import { matchesGolden } from "../../support/golden.ts";

function rendered(changes: SourceChanges): unknown {
  const { bootstrap } = parseConfig(configSources(changes));
  assert.equal(bootstrap.kind, "template");
  const adminSocketPath = "./etc/istio/proxy/generations/1/admin.sock";
  return JSON.parse(
    finishBootstrap(
      renderBootstrap(bootstrap.template, { ...bootstrap.parameters, adminSocketPath }),
      bootstrap.override,
      adminSocketPath,
    ),
  );
}

describe("bootstrap", () => {
  for (const [behaviour, changes] of [
    ["sidecar-defaults", {}],
    ["json-logs-sotw", { flags: { logAsJson: true }, env: { ISTIO_DELTA_XDS: "false" } }],
    ["ipv6-only", { env: { INSTANCE_IP: "fd00::7" } }],
    [
      "override-keeps-admin-private",
      {
        env: { ISTIO_BOOTSTRAP_OVERRIDE: "./override.yaml" },
        files: {
          "./override.yaml":
            "admin: {address: {socket_address: {address: 0.0.0.0, port_value: 1}}, profile_path: /tmp/p}\n" +
            "static_resources: {clusters: [{name: mine, type: STATIC}]}\n",
        },
      },
    ],
  ] as const satisfies readonly (readonly [string, SourceChanges])[]) {
    test(behaviour, (t) => {
      matchesGolden(t, `bootstrap/${behaviour}.json`, rendered(changes));
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
