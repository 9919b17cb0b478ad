/** Text that is made to cost time, memory or stack is a problem of its source, in few words, wherever it stands. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isGoTemplate, TemplateError } from "../../../src/bootstrap/render.ts";
import { ConfigError } from "../../../src/schema/config-problem.ts";
import { parseDurationMs } from "../../../src/schema/duration.ts";
import { readEnvironment, variables } from "../../../src/config/sources/environment.ts";
import { unquoteGo } from "../../../src/config/sources/go-quote.ts";
import { parsePodInfo } from "../../../src/config/sources/pod-info.ts";
import { parseDocuments } from "../../../src/controlplane/config/parse-documents.ts";
import { parseHostPort } from "../../../src/net/host-port.ts";
import type { SourceChanges } from "../../support/config-sources.ts";
import { hostileDocuments, hostileWords } from "../../support/hostile-documents.ts";
import { renderedBootstrap } from "../../support/rendered-bootstrap.ts";

/** Of the processor: far more than any of it takes, and far less than what takes the square of its length. */
const patienceMs = 2_000;

/** What this process has taken of the processor, in milliseconds; whoever else is busy does not count. */
function spentMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

const template = JSON.stringify({ node: { metadata: { $eval: "metadata" } } });
const small: SourceChanges = { flags: { templateFile: "./small.json" }, files: { "./small.json": template } };

function annotated(name: string, value: string): SourceChanges {
  const line = `${name}=${JSON.stringify(value)}`;
  return { ...small, files: { ...small.files, "./etc/istio/pod/annotations": line } };
}

/** Where documents come from, and how each is named. */
const sources: Readonly<Record<string, readonly [source: RegExp, (text: string) => SourceChanges]>> = {
  PROXY_CONFIG: [/^PROXY_CONFIG$/, (text) => ({ ...small, env: { PROXY_CONFIG: text } })],
  "mesh config": [
    /^\.\/etc\/istio\/config\/mesh$/,
    (text) => ({ ...small, files: { ...small.files, "./etc/istio/config/mesh": text } }),
  ],
  "proxy.istio.io/config": [
    /annotations: proxy\.istio\.io\/config$/,
    (text) => annotated("proxy.istio.io/config", text),
  ],
  statsHistogramBuckets: [
    /statsHistogramBuckets$/,
    (text) => annotated("sidecar.istio.io/statsHistogramBuckets", text),
  ],
  ISTIO_METAJSON_X: [/^$/, (text) => ({ ...small, env: { ISTIO_METAJSON_X: text } })],
  ISTIO_META_POD_PORTS: [
    /^ISTIO_META_POD_PORTS$/,
    (text) => ({ ...small, env: { ISTIO_META_POD_PORTS: text } }),
  ],
  LOAD_STATS_CONFIG_JSON: [
    /^ISTIO_META_LOAD_STATS_CONFIG_JSON$/,
    (text) => ({ ...small, env: { ISTIO_META_LOAD_STATS_CONFIG_JSON: text } }),
  ],
  "--envoyMetricsService": [
    /^--envoyMetricsService$/,
    (text) => ({
      ...small,
      flags: { ...small.flags, envoyMetricsService: text },
    }),
  ],
  ISTIO_BOOTSTRAP_OVERRIDE: [
    /^\.\/o\.yaml$/,
    (text) => ({
      ...small,
      env: { ISTIO_BOOTSTRAP_OVERRIDE: "./o.yaml" },
      files: { ...small.files, "./o.yaml": text },
    }),
  ],
  customConfigFile: [
    /^\.\/c\.yaml$/,
    (text) => ({ env: { PROXY_CONFIG: "customConfigFile: ./c.yaml" }, files: { "./c.yaml": text } }),
  ],
  "--templateFile": [
    /^\.\/t\.yaml$/,
    (text) => ({ flags: { templateFile: "./t.yaml" }, files: { "./t.yaml": text } }),
  ],
};

const longEnough: readonly string[] = ["20,000 keys", "the same key 10,000 times", "2 MiB"];

function outcome(changes: SourceChanges): readonly (readonly [source: string, line: string])[] {
  const before = spentMs();
  try {
    renderedBootstrap(changes);
    return [];
  } catch (error) {
    if (error instanceof TemplateError) return [["./t.yaml", error.message]];
    assert.ok(error instanceof ConfigError, error instanceof Error ? error.stack : String(error));
    return error.problems.map(({ source, path, message }) => [source, `${path}: ${message}`] as const);
  } finally {
    assert.ok(spentMs() - before < patienceMs, "it took too long");
  }
}

for (const [name, [expected, changesOf]] of Object.entries(sources)) {
  describe(`in ${name}:`, () => {
    for (const [what, text] of Object.entries(hostileDocuments)) {
      // A bootstrap may be as long as that.
      if (longEnough.includes(what) && /yaml/.test(expected.source)) continue;
      test(what, () => {
        const problems = outcome(changesOf(text));
        assert.ok(problems.length <= 21, String(problems.length));
        for (const [source, line] of problems) {
          assert.match(source, expected);
          assert.ok(line.length < 500, line);
          assert.doesNotMatch(line, /call stack|RangeError|resource exhaustion/);
        }
      });
    }
  });
}

describe("in the control plane's folder:", () => {
  for (const [what, text] of Object.entries(hostileDocuments)) {
    test(what, () => {
      const { objects, problems } = parseDocuments("mesh.yaml", text);
      assert.deepEqual(objects, []);
      assert.ok(problems.length > 0 || what === "directives" || what === "2 MiB", what);
      assert.doesNotMatch(problems[0]?.message ?? "", /call stack|RangeError|resource exhaustion/);
    });
  }
});

/** Whatever takes a whole text to pieces. */
const readers: Readonly<Record<string, (text: string) => unknown>> = {
  duration: parseDurationMs,
  "host:port": parseHostPort,
  "Go's quotes": (text) => unquoteGo(`"${text}"`),
  "Go's quotes, unfinished": (text) => unquoteGo(`"${text}`),
  "pod info": parsePodInfo,
  "Go template": isGoTemplate,
  variables: (text) =>
    readEnvironment(Object.fromEntries(Object.keys(variables).map((name) => [name, text])), [], []),
  configuration: (text) => {
    const names = ["statsFlushInterval", "statsHistogramBuckets", "extraStatTags", "statsInclusionRegexps"];
    const lines = names.map((name) => `sidecar.istio.io/${name}=${JSON.stringify(text)}`);
    outcome({
      ...small,
      env: {
        ISTIO_META_X: text,
        ISTIO_METAJSON_LABELS: JSON.stringify({ "istio-locality": text, app: text }),
      },
      files: { ...small.files, "./etc/istio/pod/annotations": lines.join("\n") },
    });
  },
};

describe("64 KiB of one sort take no longer than other text:", () => {
  for (const [name, read] of Object.entries(readers)) {
    test(name, () => {
      for (const word of hostileWords) {
        const before = spentMs();
        read(word.repeat(Math.floor(65_536 / word.length)));
        const tookMs = spentMs() - before;
        assert.ok(tookMs < patienceMs, `${JSON.stringify(word)} takes ${Math.round(tookMs)} ms`);
      }
    });
  }
});
