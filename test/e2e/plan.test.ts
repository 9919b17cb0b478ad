import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse } from "yaml";
import { testEnvoy } from "../support/envoy.ts";
import { ExaminedMesh } from "../support/examined-mesh.ts";
import { freePorts } from "../support/free-ports.ts";
import { type RunningOutrider, runOutrider, startOutrider } from "../support/outrider.ts";
import { startEnvoyOn } from "../support/stray-envoy.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { variableOf } from "../../src/schema/own-variables.ts";
import { workloadReady } from "../support/mesh.ts";
import type { Workload } from "../support/workload.ts";

interface JsonPlan {
  readonly version: number;
  readonly action: "none" | "start" | "swap" | "refuse";
  readonly mode?: string;
  readonly why?: string;
  readonly reasons?: readonly string[];
  readonly running?: { readonly generation: number; readonly pid: number; readonly version: string };
  readonly argv: readonly string[];
  readonly changes: readonly { readonly what: string; readonly detail: string }[];
  readonly diff: readonly string[];
  readonly files: readonly { readonly path: string; readonly exists: boolean }[];
}

let examined: ExaminedMesh;

before(async () => {
  examined = await ExaminedMesh.start();
});

after(async () => {
  await examined[Symbol.asyncDispose]();
});

async function plan(
  one: Workload,
  changes: { readonly env?: Readonly<Record<string, string>>; readonly args?: readonly string[] } = {},
): Promise<{ readonly code: number; readonly plan: JsonPlan }> {
  const { exit, output } = await runOutrider({
    args: ["plan", "--json", ...(changes.args ?? [])],
    cwd: one.folder,
    env: { ...one.env, ...changes.env },
    withinMs: 20_000,
  });
  assert.equal(exit.kind, "exited", output);
  const parsed = JSON.parse(output) as JsonPlan;
  assert.equal(parsed.version, 1);
  return { code: exit.code, plan: parsed };
}

/** Names, sizes and times of everything in the workload's folder that the agent does not write by itself. */
function picture(one: Workload): readonly string[] {
  return readdirSync(one.folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !/flight-recorder|xds-cache/.test(name))
    .map((name) => {
      const entry = statSync(join(one.folder, name));
      // A folder's time changes with the files that are left out here.
      return entry.isDirectory()
        ? `${name} ${entry.mode}`
        : `${name} ${entry.size} ${entry.mtimeMs} ${entry.mode}`;
    })
    .toSorted();
}

async function startSidecar(one: Workload, args: readonly string[] = []): Promise<RunningOutrider> {
  const agent = startOutrider({ args: ["proxy", "sidecar", ...args], cwd: one.folder, env: one.env });
  await workloadReady(one, agent);
  return agent;
}

describe("plan without an agent", () => {
  test("shows what a start would do, and does none of it", async () => {
    const web = await examined.workload();
    const before = picture(web);
    const { code, plan: planned } = await plan(web);
    assert.equal(code, 2);
    assert.equal(planned.action, "start");
    assert.equal(planned.argv[0], await testEnvoy());
    assert.ok(planned.argv.includes("etc/istio/proxy/generations/1/envoy.json"), planned.argv.join(" "));
    assert.ok(planned.diff.some((line) => line.includes('+    "id": "sidecar~127.0.0.1~web')));
    const labels = planned.files.find(({ path }) => path.endsWith("pod/labels"));
    assert.deepEqual(labels, { path: "./etc/istio/pod/labels", exists: true });
    assert.deepEqual(picture(web), before);
  });

  test("a configuration that cannot be used: every problem, exit code 64", async () => {
    const web = await examined.workload({ statusPort: -1, drainDuration: "soon" });
    const { code, plan: planned } = await plan(web);
    assert.equal(code, 64);
    assert.equal(planned.action, "refuse");
    assert.match(planned.reasons?.join("; ") ?? "", /statusPort.*drainDuration|drainDuration.*statusPort/);
  });

  test("a bootstrap that Envoy refuses, with its field", async () => {
    const web = await examined.workload();
    web.write(
      "override.json",
      '{"static_resources": {"clusters": [{"name": "x", "connect_timeout": "soon"}]}}',
    );
    const { code, plan: planned } = await plan(web, { env: { ISTIO_BOOTSTRAP_OVERRIDE: "./override.json" } });
    assert.equal(code, 64);
    assert.match(
      planned.reasons?.[0] ?? "",
      /Envoy refuses the bootstrap: static_resources\.clusters.*connect_timeout/,
    );
  });

  test("secrets of the bootstrap are not shown", async () => {
    const web = await examined.workload();
    const { plan: planned } = await plan(web, { env: { ISTIO_META_API_KEY: "s3cr3t-value-of-mine" } });
    const text = planned.diff.join("\n");
    assert.match(text, /API_KEY/);
    assert.doesNotMatch(text, /s3cr3t/);
  });
});

describe("plan beside a running agent", () => {
  test("nothing is changed: exit code 0, with the agent's own flags", async () => {
    const one = await examined.workload();
    const secret = { name: "mine", generic_secret: { secret: { filename: "./secret.txt" } } };
    one.write("override.json", JSON.stringify({ static_resources: { secrets: [secret] } }));
    one.write("secret.txt", "of mine");
    using agents = temporaryFolder();
    const announced = { [variableOf("runtimeFolder")]: agents.path };
    const web = { ...one, env: { ...one.env, ...announced, ISTIO_BOOTSTRAP_OVERRIDE: "./override.json" } };
    await using _agent = await startSidecar(web, ["--proxyLogLevel", "error", "--domain", "demo.example"]);
    // What Envoy reads is written again as it was.
    one.write("secret.txt", "of mine");
    const before = picture(web);
    const { code, plan: planned } = await plan(web);
    assert.deepEqual(planned.changes, []);
    assert.deepEqual(planned.diff, []);
    assert.equal(planned.action, "none");
    assert.equal(planned.running?.generation, 1);
    assert.equal(code, 0);
    assert.deepEqual(picture(web), before);

    // From anywhere, with nothing but the agent's name: flags, environment and folder are the agent's.
    const { POD_NAME: name = "" } = one.env;
    const beside = { cwd: agents.path, env: announced, withinMs: 20_000 };
    const named = await runOutrider({ ...beside, args: ["plan", "--json", "--name", name] });
    assert.deepEqual(
      [named.exit, (JSON.parse(named.output) as JsonPlan).changes],
      [{ kind: "exited", code: 0 }, []],
    );
    const examinedByName = await runOutrider({ ...beside, args: ["doctor", "--json", "--name", name] });
    assert.match(examinedByName.output, /flags and environment of the running agent/);
    const unknown = await runOutrider({ ...beside, args: ["doctor", "--name", "api"] });
    assert.deepEqual(unknown.exit, { kind: "exited", code: 64 });
    assert.match(unknown.output, /no agent is called api; there are web\d/);
  });

  test("a changed label and a changed flag are named, with the mode and why; nothing is done", async () => {
    const web = await examined.workload();
    await using agent = await startSidecar(web);
    const before = picture(web);
    const label = { ISTIO_METAJSON_LABELS: '{"team": "blue"}' };
    const { code, plan: planned } = await plan(web, { env: label, args: ["--concurrency", "2"] });
    assert.equal(code, 2);
    assert.equal(planned.action, "swap");
    // Hot restart keeps the number of workers.
    assert.equal(planned.mode, "overlap");
    assert.match(planned.why ?? "", /every listener can be bound twice/);
    assert.ok(planned.diff.includes('+        "team": "blue",'), planned.diff.join("\n"));
    assert.deepEqual(
      planned.changes.map(({ what }) => what),
      ["bootstrap", "arguments"],
    );
    assert.equal(planned.changes[1]?.detail, "--concurrency 1 becomes 2");
    assert.ok(planned.argv.includes("etc/istio/proxy/generations/2/envoy.json"));
    assert.deepEqual(picture(web), before);
    assert.ok(!agent.lines.some((line) => line.includes("swap")), "the agent did something");

    const people = await runOutrider({
      args: ["plan", "--concurrency", "2"],
      cwd: web.folder,
      env: { ...web.env, ...label },
      withinMs: 20_000,
    });
    assert.match(
      people.output,
      /^plan +a reload would replace Envoy, swap mode overlap\nrunning +generation 1, pid \d+/,
    );
    assert.match(people.output, /\n--- generation 1\n\+\+\+ planned\n@@ /);
  });

  test("a listener without reuse_port is handed over hot, or cold where that cannot be", async () => {
    const web = await examined.workload();
    const template = join(import.meta.dirname, "../../bootstrap-templates/sidecar.yaml");
    const { static_resources: resources, ...rest } = parse(readFileSync(template, "utf8")) as {
      static_resources: { listeners: Record<string, unknown>[] };
    };
    const listeners = resources.listeners
      .filter((listener) => listener["$if"] === undefined)
      .map((listener) => ({ ...listener, enable_reuse_port: false }));
    const own = JSON.stringify({ ...rest, static_resources: { ...resources, listeners } });
    web.write("mine.yaml", own);
    const env = { ISTIO_BOOTSTRAP: "./mine.yaml" };
    const one = { ...web, env: { ...web.env, ...env } };
    await using _agent = await startSidecar(one);
    const label = { ISTIO_METAJSON_LABELS: '{"team": "blue"}' };

    const hot = await plan(one, { env: label });
    assert.equal(hot.plan.mode, "hot");
    assert.match(hot.plan.why ?? "", /enable_reuse_port off/);
    const epoch = hot.plan.argv.indexOf("--restart-epoch");
    assert.equal(hot.plan.argv[epoch + 1], "1");

    const cold = await plan(one, { env: label, args: ["--concurrency", "2"] });
    assert.equal(cold.plan.mode, "cold");
    assert.match(cold.plan.why ?? "", /enable_reuse_port off.*number of workers/);

    const impossible = await plan(one, { env: label, args: ["--swapMode", "overlap"] });
    assert.equal(impossible.code, 64);
    assert.match(
      impossible.plan.reasons?.[0] ?? "",
      /--swapMode=overlap cannot be done: .*enable_reuse_port off/,
    );
  });

  test("a port that the agent itself has, and a port that a stranger shares, refuse a reload", async () => {
    const one = await examined.workload();
    await using _agent = await startSidecar(one);

    const [elsewhere = 0] = await freePorts(1);
    const config = JSON.parse(one.env["PROXY_CONFIG"] ?? "{}") as Record<string, unknown>;
    const moved = await plan(one, {
      env: { PROXY_CONFIG: JSON.stringify({ ...config, statusPort: elsewhere }) },
    });
    assert.equal(moved.code, 64);
    assert.match(moved.plan.reasons?.[0] ?? "", /statusPort: cannot change while the agent runs/);

    await using stranger = await startEnvoyOn(one.ports.prometheus, one.folder);
    const taken = await plan(one, { args: ["--concurrency", "2"] });
    assert.equal(taken.code, 64);
    assert.match(taken.plan.reasons?.join() ?? "", new RegExp(`taken by pid ${stranger.pid} `));
  });
});
