import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { diagnose, diagnoseWell } from "../../support/doctor.ts";
import { eventually } from "../../support/eventually.ts";
import { ExaminedMesh } from "../../support/examined-mesh.ts";
import { expectFinding } from "../../support/findings.ts";
import { runOutrider, startOutrider } from "../../support/outrider.ts";
import { startEnvoyOn } from "../../support/stray-envoy.ts";
import { workloadReady } from "../../support/mesh.ts";

let examined: ExaminedMesh;

before(async () => {
  examined = await ExaminedMesh.start();
});

after(async () => {
  await examined[Symbol.asyncDispose]();
});

describe("doctor", () => {
  test("finds nothing wrong with a sidecar that would start, in a form for scripts and one for people", async () => {
    const web = await examined.workload();
    const { findings, output } = await diagnoseWell(web);
    assert.deepEqual(
      findings.filter(({ verdict }) => verdict === "failure"),
      [],
    );
    const { version, summary } = JSON.parse(output) as { version: number; summary: Record<string, number> };
    assert.equal(version, 1);
    assert.equal((summary["ok"] ?? 0) + (summary["warning"] ?? 0), findings.length);
    assert.doesNotMatch(
      output,
      new RegExp((await examined.mesh.token("web")).slice(0, 30)),
      "the token was printed",
    );

    const people = await eventually(
      "a report without failures",
      async () => {
        const run = await runOutrider({ args: ["doctor"], cwd: web.folder, env: web.env, withinMs: 20_000 });
        assert.match(run.output, /\n0 failures, \d+ warnings?, \d+ ok in \d+\.\d s$/);
        return run;
      },
      { withinMs: 60_000 },
    );
    assert.match(people.output, /^✔ configuration +flags, environment/);
    assert.ok(!people.output.includes("\u001B"), "coloured although it is no terminal");
  });

  test("leaves nothing behind", async () => {
    const web = await examined.workload();
    await diagnose(web);
    assert.throws(() => {
      mkdirSync(join(web.folder, "etc/istio/proxy/x"));
    }, /ENOENT/);
  });

  test("a configuration that cannot be used: every problem, every other check, exit code 64", async () => {
    const web = await examined.workload({ statusPort: -1, drainDuration: "soon" });
    const { code, named, output } = await diagnose(web, { args: ["--newFlag=1"] });
    assert.equal(code, 64);
    const text = JSON.stringify(named("configuration"));
    for (const part of [/statusPort: -1/, /drainDuration/, /--newFlag=1/]) assert.match(text, part);
    for (const name of ["token", "discovery", "ca", "envoy-binary"]) {
      assert.equal(named(name)[0]?.verdict, "ok", output);
    }
  });
});

describe("doctor beside a running agent", () => {
  test("takes its flags and its environment, finds its ports in its own hands, and a stranger on one of them", async () => {
    const web = await examined.workload();
    await using agent = startOutrider({
      args: ["proxy", "sidecar", "--proxyLogLevel", "error", "--futureFlag"],
      cwd: web.folder,
      env: web.env,
    });
    await workloadReady(web, agent);
    const well = await diagnoseWell(web);
    expectFinding(well.named("configuration")[0], "warning", /--futureFlag/, /spelling/);
    assert.deepEqual(well.findings[0], {
      name: "readiness",
      verdict: "ok",
      seen: "the running agent is ready",
    });
    expectFinding(well.named("upstreams")[0], "ok", /Envoy reaches those of its \d+ upstreams/);
    expectFinding(well.named("caches")[0], "ok", /certificate.*; .*configuration/);
    expectFinding(well.named("ports")[0], "ok", new RegExp(`running agent \\(pid ${agent.pid}\\)`));
    expectFinding(well.named("shared-ports")[0], "ok", /nobody shares the ports of the running agent/);
    // A shell beside the agent need not have what the agent was started with.
    const strange = await diagnoseWell(web, { env: { PROXY_CONFIG: "{}", POD_NAMESPACE: "other" } });
    expectFinding(strange.named("ports")[0], "ok", new RegExp(`running agent \\(pid ${agent.pid}\\)`));
    expectFinding(strange.named("refused-configuration")[0], "ok", /refuses nothing/);
    expectFinding(well.named("memory")[0], "ok", /the running Envoy uses \d+ MiB: a second one fits/);

    await using stranger = await startEnvoyOn(web.ports.prometheus, web.folder);
    const shared = await diagnose(web);
    expectFinding(
      shared.named("shared-ports")[0],
      "failure",
      new RegExp(`port ${web.ports.prometheus} .*pid ${stranger.pid} `),
      /ports of its own/,
    );
    assert.equal(shared.code, 1);
  });
});
