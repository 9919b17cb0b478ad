import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { portOwners } from "../../src/net/port-owner.ts";
import { eventually } from "../support/eventually.ts";
import { get, type TestSidecar } from "../support/mesh.ts";
import { startWebAndApi } from "../support/web-and-api.ts";

async function envoyPid(sidecar: TestSidecar): Promise<number> {
  const { pid } = (await sidecar.report()).envoy;
  assert.ok(pid !== undefined, "Envoy has no pid");
  return pid;
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

describe("Envoy", () => {
  test("killed: it is started again, traffic flows, and the death is counted and explained", async () => {
    await using mesh = await startWebAndApi();
    const pid = await envoyPid(mesh.api);
    process.kill(pid, "SIGKILL");
    await eventually("api unready", async () => assert.equal((await mesh.api.report()).ready, false), {
      withinMs: 5_000,
      everyMs: 5,
    });
    await mesh.api.ready();
    await eventually("traffic again", async () => assert.equal((await mesh.call()).status, 200), {
      withinMs: 10_000,
    });
    const { envoy } = await mesh.api.report();
    assert.notEqual(envoy.pid, pid);
    assert.equal(envoy.restarts, 1);
    assert.equal(await mesh.api.metric("istio_agent_envoy_restarts_total"), 1);
    const line = mesh.api.agent.lines.find((candidate) => candidate.includes("Envoy died"));
    assert.match(line ?? "", /killed by SIGKILL/);
  });

  test("answers on the agent's admin port, and its own socket is private", async () => {
    await using mesh = await startWebAndApi();
    const { status, body } = await get(mesh.web.ports.admin, "/ready");
    assert.equal(status, 200);
    assert.equal(body.toString("utf8"), "LIVE\n");
    const { statSync } = await import("node:fs");
    const socket = join(mesh.web.folder, "etc/istio/proxy/generations/1/admin.sock");
    assert.equal(statSync(socket).mode & 0o777, 0o600);
  });

  test("is probed through its own readiness port, and shows its own metrics", async () => {
    await using mesh = await startWebAndApi();
    assert.equal((await get(mesh.web.ports.envoyStatus, "/healthz/ready")).status, 200);
    const metrics = (await get(mesh.web.ports.prometheus, "/stats/prometheus")).body.toString("utf8");
    assert.match(metrics, /^envoy_server_state\{?.*\}? 0$/m);
  });
});

describe("SIGTERM", () => {
  test("lets a request of two seconds finish, exits 0 and leaves nothing behind", async () => {
    await using mesh = await startWebAndApi({ api: { proxyConfig: { terminationDrainDuration: "4s" } } });
    const pid = await envoyPid(mesh.api);
    const request = mesh.call("/slow?ms=2000");
    await eventually("the request at the application", () => assert.equal(mesh.app.requests.length, 1), {
      withinMs: 5_000,
      everyMs: 10,
    });
    mesh.api.agent.kill("SIGTERM");
    await eventually(
      "readiness gone",
      async () => assert.equal((await get(mesh.api.ports.status, "/healthz/ready")).status, 503),
      {
        withinMs: 1_000,
        everyMs: 10,
      },
    );
    const response = await request;
    assert.equal(response.status, 200);
    assert.equal(response.body.toString("utf8"), "api");
    assert.deepEqual(await mesh.api.agent.exitWithin(10_000), { kind: "exited", code: 0 });
    assert.equal(isAlive(pid), false);
    for (const socket of [
      "etc/istio/proxy/XDS",
      "var/run/secrets/workload-spiffe-uds/socket",
      "etc/istio/proxy/generations/1",
    ]) {
      assert.equal(existsSync(join(mesh.api.folder, socket)), false, `${socket} is left behind`);
    }
    assert.deepEqual(portOwners([...Object.values(mesh.api.ports), mesh.inboundPort]), []);
  });

  test("twice ends the agent and Envoy at once", async () => {
    await using mesh = await startWebAndApi({ api: { proxyConfig: { terminationDrainDuration: "60s" } } });
    const pid = await envoyPid(mesh.api);
    mesh.api.agent.kill("SIGTERM");
    await sleep(1_200);
    mesh.api.agent.kill("SIGTERM");
    assert.deepEqual(await mesh.api.agent.exitWithin(3_000), { kind: "exited", code: 143 });
    assert.equal(isAlive(pid), false);
  });

  test("POST /quitquitquit drains and exits 0; GET does not", async () => {
    await using mesh = await startWebAndApi();
    const target = { host: "127.0.0.1", port: mesh.web.ports.admin };
    const { fetchHttp } = await import("../../src/net/http-client.ts");
    assert.equal((await get(mesh.web.ports.admin, "/quitquitquit")).status, 405);
    assert.equal(
      (await fetchHttp({ target, method: "POST", url: "/quitquitquit", timeoutMs: 5_000 })).status,
      200,
    );
    assert.deepEqual(await mesh.web.agent.exitWithin(10_000), { kind: "exited", code: 0 });
  });
});
