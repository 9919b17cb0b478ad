/** Whatever stands in a source: the result is a bootstrap, or problems that name their source. Never anything else. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { TemplateError } from "../../../src/bootstrap/render.ts";
import { ConfigError } from "../../../src/schema/config-problem.ts";
import { proxyConfigFields } from "../../../src/config/proxy-config/schema.ts";
import type { SourceChanges } from "../../support/config-sources.ts";
import { renderedBootstrap } from "../../support/rendered-bootstrap.ts";

/** Longest run of one input, in milliseconds: far more than any takes, far less than a hang. */
const patienceMs = 5_000;

function check(changes: SourceChanges): void {
  const started = performance.now();
  try {
    const bootstrap = renderedBootstrap(changes);
    assert.ok(typeof bootstrap === "object" && bootstrap !== null && "admin" in bootstrap);
  } catch (error) {
    if (error instanceof TemplateError) assert.notEqual(error.message, "");
    else {
      assert.ok(error instanceof ConfigError, error instanceof Error ? error.stack : String(error));
      assert.ok(error.problems.length > 0);
      for (const { source, message } of error.problems) assert.ok(source !== "" && message !== "");
    }
  }
  assert.ok(performance.now() - started < patienceMs, "it took too long");
}

const nasty = fc.constantFrom(
  "__proto__",
  "constructor",
  "${",
  "{{ .x }}",
  "\u0000",
  "&a [*a]",
  "!!js/x",
  "$(HOST_IP)",
);
const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.json(), nasty);
const anyConfig = fc
  .dictionary(
    fc.oneof(fc.constantFrom(...Object.keys(proxyConfigFields)), nasty),
    fc.oneof(fc.jsonValue(), anyText),
  )
  .map((config) => JSON.stringify(config));
const lines = fc
  .array(
    fc.oneof(
      anyText,
      fc
        .tuple(fc.stringMatching(/^[\w./-]{1,9}$/), fc.string())
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`),
    ),
  )
  .map((all) => all.join("\n"));

/** A template takes long to read as YAML; the others are quick. */
function times(numRuns: number): fc.Parameters<unknown> {
  return { numRuns };
}

describe("any", () => {
  test("PROXY_CONFIG", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, anyConfig), (text) => check({ ...small, env: { PROXY_CONFIG: text } })),
      times(200),
    );
  });

  test("mesh config", () => {
    const wrapped = anyConfig.map((config) => `{"defaultConfig": ${config}}`);
    fc.assert(
      fc.property(fc.oneof(anyText, wrapped), (text) =>
        check({ ...small, files: { ...small.files, "./etc/istio/config/mesh": text } }),
      ),
      times(200),
    );
  });

  test("annotations", () => {
    const names = fc.constantFrom(
      "proxy.istio.io/config",
      "sidecar.istio.io/discoveryAddress",
      "status.sidecar.istio.io/port",
      "sidecar.istio.io/statsFlushInterval",
      "sidecar.istio.io/statsEvictionInterval",
      "sidecar.istio.io/statsHistogramBuckets",
      "sidecar.istio.io/statsInclusionRegexps",
      "sidecar.istio.io/extraStatTags",
      "traffic.sidecar.istio.io/excludeInterfaces",
    );
    const known = fc
      .array(fc.tuple(names, fc.oneof(anyText, anyConfig)))
      .map((all) => all.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join("\n"));
    fc.assert(
      fc.property(fc.oneof(lines, known), (text) =>
        check({ ...small, files: { ...small.files, "./etc/istio/pod/annotations": text } }),
      ),
      times(200),
    );
  });

  test("labels file", () => {
    fc.assert(
      fc.property(lines, (text) =>
        check({ ...small, files: { ...small.files, "./etc/istio/pod/labels": text } }),
      ),
      times(200),
    );
  });

  test("metadata variables", () => {
    const names = fc.oneof(
      fc.constantFrom(
        "ISTIO_METAJSON_LABELS",
        "ISTIO_METAJSON_X",
        "ISTIO_META_POD_PORTS",
        "ISTIO_META___proto__",
      ),
      fc.stringMatching(/^ISTIO_META(?:JSON)?_[A-Z_]{0,12}$/),
    );
    fc.assert(
      fc.property(fc.dictionary(names, anyText), (env) => check({ ...small, env })),
      times(200),
    );
  });

  test("template and override", () => {
    const holes = fc.constantFrom("nodeId", "metadata", "nothing", "1/0", "[");
    const template = fc.oneof(
      anyText,
      holes.map((hole) => JSON.stringify({ node: { $eval: hole } })),
      holes.map((hole) => `node: "\${${hole}}"`),
    );
    fc.assert(
      fc.property(template, anyText, (text, override) =>
        check({
          flags: { templateFile: "./mine.yaml" },
          env: { ISTIO_BOOTSTRAP_OVERRIDE: "./override.yaml" },
          files: { "./mine.yaml": text, "./override.yaml": override },
        }),
      ),
      times(200),
    );
  });
});

/** The sources are what is tried here, not the release's template, which takes long to read. */
const small: SourceChanges = {
  flags: { templateFile: "./small.json" },
  files: {
    "./small.json": JSON.stringify({
      node: { metadata: { $eval: "metadata" } },
      tags: { $eval: "statsTags" },
    }),
  },
};
