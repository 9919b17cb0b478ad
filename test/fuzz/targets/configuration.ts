/** What the agent reads at its start: the result is a bootstrap, or problems that name their source. */
import assert from "node:assert/strict";
import { TemplateError } from "../../../src/bootstrap/render.ts";
import { ConfigError } from "../../../src/schema/config-problem.ts";
import { proxyConfigFields } from "../../../src/config/proxy-config/schema.ts";
import type { SourceChanges } from "../../support/config-sources.ts";
import { renderedBootstrap } from "../../support/rendered-bootstrap.ts";
import type { FuzzTarget } from "../target.ts";

/** The sources are what is tried here, not the release's template, which takes long to read. */
const smallTemplate = JSON.stringify({
  node: { metadata: { $eval: "metadata" } },
  tags: { $eval: "statsTags" },
});

/** What YAML, Go templates and JavaScript take for more than text. */
const nasty = [
  "__proto__",
  "constructor",
  "${",
  "{{ .x }}",
  "\0",
  "&a [*a]",
  "*a",
  "<<: ",
  "!!js/x",
  "!!binary ",
  "$(HOST_IP)",
  "\u2028",
  "---\n",
  "? ",
  "|-\n",
  "{",
  "[",
  "\n  ",
];

function configurationTarget(
  name: string,
  words: readonly string[],
  sources: (text: string) => SourceChanges,
): FuzzTarget {
  return {
    name,
    corpus: name,
    words: [...words, ...nasty],
    concurrency: 1,
    maxBytes: 4_096,
    open: () =>
      Promise.resolve({
        feed: (input) => {
          check(withSmallTemplate(sources(input.toString("utf8"))));
          return Promise.resolve();
        },
        whole: () => {
          assert.equal(typeof renderedBootstrap(withSmallTemplate({})), "object");
          return Promise.resolve();
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
  };
}

function withSmallTemplate(changes: SourceChanges): SourceChanges {
  return {
    ...changes,
    flags: { templateFile: "./small.json" },
    files: { ...changes.files, "./small.json": smallTemplate },
  };
}

function check(changes: SourceChanges): void {
  try {
    const bootstrap = renderedBootstrap(changes);
    assert.ok(typeof bootstrap === "object" && bootstrap !== null && "admin" in bootstrap);
  } catch (error) {
    if (error instanceof TemplateError) {
      assert.notEqual(error.message, "");
      return;
    }
    assert.ok(error instanceof ConfigError, error instanceof Error ? error.stack : String(error));
    assert.ok(error.problems.length > 0, "refused without a problem");
    for (const { source, message } of error.problems) assert.ok(source !== "" && message !== "");
  }
}

const fields = Object.keys(proxyConfigFields);

const annotationNames = [
  "proxy.istio.io/config",
  "sidecar.istio.io/discoveryAddress",
  "status.sidecar.istio.io/port",
  "sidecar.istio.io/statsFlushInterval",
  "sidecar.istio.io/statsEvictionInterval",
  "sidecar.istio.io/statsHistogramBuckets",
  "sidecar.istio.io/statsInclusionRegexps",
  "sidecar.istio.io/extraStatTags",
  "traffic.sidecar.istio.io/excludeInterfaces",
];

export const configurationTargets: readonly FuzzTarget[] = [
  configurationTarget("proxy-config", fields, (text) => ({ env: { PROXY_CONFIG: text } })),
  configurationTarget("mesh-config", ["defaultConfig", "extensionProviders", ...fields], (text) => ({
    files: { "./etc/istio/config/mesh": text },
  })),
  configurationTarget("annotations", [...annotationNames, ...fields, '="', '\\"'], (text) => ({
    files: { "./etc/istio/pod/annotations": text },
  })),
];
