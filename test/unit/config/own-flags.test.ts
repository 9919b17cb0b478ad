/** What pilot-agent does not have can be set in three places, and the strongest that is given counts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { commands } from "../../../src/cli/commands.ts";
import { discoveryFlags } from "../../../src/cli/discovery-flags.ts";
import { variables } from "../../../src/config/sources/environment.ts";
import { istioFlags } from "../../../src/config/sources/istio-flags.ts";
import { annotationOf, guardedFlags, ownFlags } from "../../../src/config/sources/own-flags.ts";
import { pilotFlags } from "../../../src/config/sources/pilot-flags.ts";
import { parseConfig } from "../../../src/config/parse-config.ts";
import { readProxyFlags } from "../../../src/config/sources/proxy-flags.ts";
import { markVariable } from "../../../src/envoy/generation/own-envoy.ts";
import { launchedVariable } from "../../../src/process/own-environment.ts";
import { type ConfigProblem, describeProblem } from "../../../src/schema/config-problem.ts";
import { variableOf } from "../../../src/schema/own-variables.ts";
import { readText, type Setting } from "../../../src/schema/setting.ts";
import { configSources, type SourceChanges } from "../../support/config-sources.ts";

const annotations = "./etc/istio/pod/annotations";

/** The value of a flag, and the problems with it. */
function valueOf(
  name: string,
  changes: SourceChanges,
): readonly [value: unknown, problems: readonly string[]] {
  const problems: ConfigProblem[] = [];
  const values: Readonly<Record<string, unknown>> = readProxyFlags(configSources(changes), problems);
  return [values[name], problems.map(describeProblem)];
}

/** Texts of the kind that a setting reads, each for another value; two where there are no more. */
function textsFor(name: string, { type, kind, range }: Setting<unknown>): readonly [string, string, string] {
  if (type === "boolean") return ["true", "false", "true"];
  if (name === "swapMode") return ["hot", "cold", "overlap"];
  if (name === "socketMode") return ["0660", "0640", "0666"];
  if (name === "metricsTargets") return ["8080", "9090:/metrics", "8080:/two,9090"];
  if (type === "number") return ["7", "8", "9"];
  if (range !== undefined || kind.includes("duration")) return ["7s", "8s", "9s"];
  return ["/one", "/two", "/three"];
}

const rows = Object.entries<Setting<unknown>>(ownFlags);

describe("a flag of outrider's own", () => {
  test("has names that are no others'", () => {
    const names = rows.flatMap(([name]) => [name, variableOf(name), annotationOf(name)]);
    assert.equal(new Set(names).size, names.length);
    for (const [name] of rows) {
      assert.match(variableOf(name), /^OUTRIDER_[A-Z]+(?:_[A-Z]+)*$/);
      assert.match(annotationOf(name), /^outrider\.dev\/[a-z]+(?:-[a-z]+)*$/);
      assert.ok(!Object.hasOwn(istioFlags, name) && !Object.hasOwn(pilotFlags, name), name);
      assert.ok(!Object.hasOwn(variables, variableOf(name)), name);
      assert.ok(![markVariable, launchedVariable].includes(variableOf(name)), name);
    }
    for (const name of Object.keys(discoveryFlags)) {
      assert.match(variableOf(name), /^OUTRIDER_[A-Z]+(?:_[A-Z]+)*$/);
      assert.ok(!Object.hasOwn(ownFlags, name), name);
    }
    assert.equal(variableOf("identityCacheOnDisk"), "OUTRIDER_IDENTITY_CACHE_ON_DISK");
    assert.equal(annotationOf("identityCacheOnDisk"), "outrider.dev/identity-cache-on-disk");
  });

  test("tells those names in the reference", () => {
    const flags = commands.find(({ name }) => name === "proxy")?.flags ?? {};
    for (const [name, { also }] of Object.entries(flags)) {
      const isOwn = Object.hasOwn(ownFlags, name);
      assert.deepEqual(also, isOwn ? [variableOf(name), annotationOf(name)] : undefined, name);
    }
  });

  for (const [name, setting] of rows) {
    const [above, below] = guardedFlags.has(name) ? ["variable", "annotation"] : ["annotation", "variable"];
    test(`--${name} counts over the ${above}, that over the ${below}, that over the default`, () => {
      const [flag, annotation, variable] = textsFor(name, setting);
      const value = (text: string): unknown => {
        const reading = readText(setting, text);
        return reading.kind === "read" ? reading.value : assert.fail(`${text} is not ${reading.expected}`);
      };
      assert.notDeepEqual(value(flag), value(annotation));
      const env = { [variableOf(name)]: variable };
      const annotated = (text: string): Record<string, string> => ({
        [annotations]: `${annotationOf(name)}=${JSON.stringify(text)}`,
      });
      const files = annotated(annotation);
      assert.deepEqual(valueOf(name, { env, files, flags: { [name]: flag } }), [value(flag), []]);
      assert.deepEqual(valueOf(name, { env, files }), [
        value(above === "variable" ? variable : annotation),
        [],
      ]);
      assert.deepEqual(valueOf(name, { files }), [value(annotation), []]);
      assert.deepEqual(valueOf(name, { env }), [value(variable), []]);
      assert.deepEqual(valueOf(name, {}), [setting.default, []]);
      const empty = { env: { [variableOf(name)]: " " }, files: annotated("") };
      assert.deepEqual(valueOf(name, empty), [setting.default, []], "an empty one was not given");
    });

    const range = setting.range !== undefined || /one of|octal|true or false/.test(setting.kind);
    if (!range) continue;
    test(`--${name} that cannot be used is a problem that names where it stands`, () => {
      const [, problems] = valueOf(name, { env: { [variableOf(name)]: "no-such" } });
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? "", new RegExp(`^${variableOf(name)}: "no-such" is not `));
      const files = { [annotations]: `${annotationOf(name)}="no-such"` };
      const [value, annotated] = valueOf(name, { files });
      assert.match(
        annotated.join("\n"),
        new RegExp(`^${annotations}: ${annotationOf(name)}: "no-such" is not `),
      );
      assert.deepEqual(value, setting.default);
    });
  }
});

test("an annotation reaches what the agent runs with", () => {
  const files = { [annotations]: 'outrider.dev/swap-mode="cold"\noutrider.dev/restart-budget="3"' };
  const { supervision } = parseConfig(configSources({ files }));
  assert.equal(supervision.swapMode, "cold");
  assert.equal(supervision.restart.budget, 3);
});

test("what pilot-agent has too is a flag and nothing else", () => {
  const changes = {
    env: { OUTRIDER_PROXY_LOG_LEVEL: "debug", OUTRIDER_CONCURRENCY: "7" },
    files: { [annotations]: 'outrider.dev/proxy-log-level="debug"' },
  };
  assert.deepEqual(valueOf("proxyLogLevel", changes), [istioFlags.proxyLogLevel.default, []]);
  assert.deepEqual(valueOf("concurrency", changes), [undefined, []]);
});
