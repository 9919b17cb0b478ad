/** What operators take along mentions metrics that there are. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { envoyVersion } from "../../src/envoy/binary/locate.ts";
import { jsonValue } from "../../src/document/json.ts";
import { configurationLimits } from "../../src/document/limits.ts";
import { at, listAt, textAt } from "../../src/lifecycle/json-path.ts";
import { outcomeFamilies } from "../../src/scrape/outcome.ts";

const root = join(import.meta.dirname, "../..");

/** Names that parts register, without their prefixes. */
function registered(): ReadonlySet<string> {
  const texts = globSync("src/**/*.ts", { cwd: root }).map((path) => readFileSync(join(root, path), "utf8"));
  const calls = /\.(?:counter|gauge|computed|computedCounters?|computedGauges|histogram)\(\s*"([a-z_]+)"/g;
  const own = texts.flatMap((text) => [...text.matchAll(calls)].map(([, name = ""]) => name));
  return new Set([...own, ...outcomeFamilies.map((name) => name.replace(/^outrider_/, ""))]);
}

/** Metrics of a PromQL expression that nobody registers. */
function unknown(expression: string, known: ReadonlySet<string>): readonly string[] {
  const mentioned = [...expression.matchAll(/\b(?:outrider|istio_agent)_([a-z_]+)/g)];
  return mentioned
    .filter(([, name = ""]) => !known.has(name) && !known.has(name.replace(/_(?:bucket|sum|count)$/, "")))
    .map(([whole]) => whole);
}

function read(path: string): string {
  return readFileSync(join(root, "docker", path), "utf8");
}

describe("the Dockerfile", () => {
  const text = read("Dockerfile");

  test("takes the Envoy that outrider is tested with", () => {
    assert.match(text, new RegExp(`^ARG ENVOY=.*-v${RegExp.escape(envoyVersion)}$`, "m"));
  });

  test("copies what is there, and what its ignore file lets through", () => {
    const allowed = read("Dockerfile.dockerignore").split("\n");
    const kept = allowed.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
    for (const path of kept) assert.ok(path === "dist" || existsSync(join(root, path)), path);
    for (const [, path = ""] of text.matchAll(/^COPY (?!--from)(\S+)/gm))
      assert.ok(
        kept.some((name) => name === path || name.startsWith(`${path}/`)),
        path,
      );
    const imported = kept.filter((path) => path.endsWith(".ts"));
    const needed = imported.flatMap((path) =>
      [...readFileSync(join(root, path), "utf8").matchAll(/from "(\..*?)"/g)].map(([, name = ""]) =>
        join(path, "..", name),
      ),
    );
    assert.deepEqual(
      needed.filter((path) => !imported.includes(path)),
      [],
    );
  });
});

describe("the task for ECS", () => {
  // CloudFormation's own tags stand for values of the deployment.
  const task: unknown = parse(read("ecs/task-definition.yaml").replaceAll(/!Ref (\w+)/g, "$1"));
  const properties = at(task, "Resources", "Task", "Properties");
  const containers = listAt(properties, "ContainerDefinitions");
  const first = containers.find((one) => textAt(one, "Name") === "credentials");

  test("has every volume given to the sidecar's user by root, before the sidecar: empty ones are root's", () => {
    assert.equal(textAt(first, "User"), "0:0");
    const script = listAt(first, "Command").join(" ");
    const given = /for \(const path of (\[.*?\])\) chownSync\(path, 1337, 1337\)/.exec(script)?.[1] ?? "[]";
    const paths = jsonValue(given, configurationLimits);
    assert.ok(Array.isArray(paths));
    for (const volume of listAt(properties, "Volumes").map((one) => textAt(one, "Name"))) {
      const mount = listAt(first, "MountPoints").find((one) => textAt(one, "SourceVolume") === volume);
      assert.ok(paths.includes(textAt(mount, "ContainerPath")), volume);
    }
    for (const [, file = ""] of script.matchAll(/writeFileSync\("(.*?)"/g))
      assert.ok(paths.includes(file), file);
    const sidecar = containers.find((one) => textAt(one, "Name") === "istio-proxy");
    assert.equal(textAt(sidecar, "User"), "1337:1337");
    assert.deepEqual(listAt(sidecar, "DependsOn"), [{ ContainerName: "credentials", Condition: "SUCCESS" }]);
  });
});

describe("every metric is there that is mentioned by", () => {
  const known = registered();

  test("the dashboard", () => {
    const panels = listAt(jsonValue(read("grafana-dashboard.json"), configurationLimits), "panels");
    const expressions: readonly string[] = panels.flatMap((panel) =>
      listAt(panel, "targets").map((target) => textAt(target, "expr") ?? ""),
    );
    assert.ok(expressions.length > 10);
    assert.deepEqual(
      expressions.flatMap((expression) => unknown(expression, known)),
      [],
    );
    for (const expression of expressions) assert.match(expression, /(?:outrider|istio_agent)_/);
  });

  test("the rules", () => {
    const rules = listAt(parse(read("prometheus-rules.yaml")), "groups").flatMap((group) =>
      listAt(group, "rules"),
    );
    assert.ok(rules.length > 5);
    for (const rule of rules) {
      assert.deepEqual(unknown(textAt(rule, "expr") ?? assert.fail("no expression"), known), []);
      assert.ok(typeof at(rule, "annotations", "summary") === "string", textAt(rule, "alert"));
    }
  });

  test("nobody, and this is found", () => {
    assert.deepEqual(unknown("rate(outrider_nothing_total[5m]) + outrider_scrape_up", known), [
      "outrider_nothing_total",
    ]);
  });
});
