import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clustersOf } from "../../support/clusters-of.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { startApp } from "../../support/http-app.ts";
import { startLoad } from "../../support/load.ts";
import { get, startMs, TestMesh } from "../../support/mesh.ts";
import { runOutrider } from "../../support/outrider.ts";
import { apiHost, egress, plainText, service } from "../../support/mesh-objects.ts";

describe("a sidecar that starts while the control plane is dead", () => {
  test("serves from its cache, and then takes over what has changed without losing a request", async () => {
    await using stack = new AsyncDisposableStack();
    const [outbound = 0] = await freePorts(1);
    const app = stack.use(await startApp("api"));
    const mesh = stack.use(
      await TestMesh.start({
        "api.yaml": [service("api", [{ port: app.port }])],
        "old.yaml": [service("old", [{ port: app.port }])],
        "plain.yaml": [plainText("api"), plainText("old")],
        "web.yaml": [egress("web", outbound)],
      }),
    );
    const call = () => get(outbound, "/", { host: apiHost });
    const before = await mesh.sidecar("web");
    await before.ready();
    assert.equal((await call()).status, 200);
    before.agent.kill("SIGTERM");
    await before.agent.exitWithin(20_000);
    mesh.controlPlane.kill("SIGKILL");
    await mesh.controlPlane.exitWithin(5_000);

    const other = await mesh.sidecar("other", { flags: ["--xdsCacheAfter=0s"] });
    const web = await mesh.sidecar("web");
    await web.ready();
    assert.equal((await call()).status, 200);
    const { xds } = await web.report();
    assert.equal(xds.state, "stale");
    assert.ok((xds.stale?.ageSeconds ?? -1) >= 0);
    assert.match((await get(web.ports.status, "/healthz/ready")).body.toString("utf8"), /^stale: /);
    assert.match(await clustersOf(web), /old\.demo/);
    // One that was never served has nothing to serve from.
    const without = await other.report();
    assert.equal(without.ready, false);
    assert.match(without.reason ?? "", /ECONNREFUSED/);

    const { output } = await runOutrider({
      args: ["xds", "--statusPort", String(web.ports.status), "--type", "listener"],
      withinMs: 20_000,
    });
    assert.match(output, /Listener {2}ACKED [\d.]+ ms {2}.*from the cache/);

    await using load = startLoad(call);
    mesh.write("old.yaml");
    await mesh.restartControlPlane();
    await eventually(
      "the control plane's own",
      async () => assert.equal((await web.report()).xds.state, "connected"),
      {
        withinMs: startMs,
      },
    );
    await eventually(
      "the deleted service gone",
      async () => assert.doesNotMatch(await clustersOf(web), /old\.demo/),
      {
        withinMs: startMs,
      },
    );
    assert.equal((await get(web.ports.status, "/healthz/ready")).body.toString("utf8"), "");
    await other.ready();
    assert.deepEqual(await load.stop(), []);
    assert.ok(load.count() > 20, `${load.count()} requests are too few to show anything`);
  });
});
