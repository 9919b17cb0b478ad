import assert from "node:assert/strict";
import { test } from "node:test";
import { clustersOf } from "../../support/clusters-of.ts";
import { eventually } from "../../support/eventually.ts";
import { assertNotGrown, footprintOf } from "../../support/footprint.ts";
import { freePorts } from "../../support/free-ports.ts";
import { startApp } from "../../support/http-app.ts";
import { startLoad } from "../../support/load.ts";
import { get, startMs, TestMesh } from "../../support/mesh.ts";
import { apiHost, egress, plainText, service } from "../../support/mesh-objects.ts";
import { TcpRelay } from "../../support/tcp-relay.ts";

const services = 400;

/** Less than half of what so many clusters take on the wire. */
const halfOfThePush = 150_000;

test("a control plane that is killed in mid-push changes nothing, and its successor's push arrives whole", async () => {
  await using stack = new AsyncDisposableStack();
  const [outbound = 0] = await freePorts(1);
  const app = stack.use(await startApp("api"));
  const mesh = stack.use(
    await TestMesh.start({
      "api.yaml": [service("api", [{ port: app.port }]), service("old", [{ port: app.port }])],
      "plain.yaml": [plainText("api")],
      "web.yaml": [egress("web", outbound)],
    }),
  );
  const relay = stack.use(await TcpRelay.listen(mesh.controlPlanePorts.tls));
  const web = await mesh.sidecar("web", { proxyConfig: { discoveryAddress: `localhost:${relay.port}` } });
  await web.ready();
  await using load = startLoad(() => get(outbound, "/", { host: apiHost }));
  const before = footprintOf(web.agent.pid);

  const killed = Promise.withResolvers<void>();
  const { controlPlane } = mesh;
  relay.cutAfter(halfOfThePush, () => {
    controlPlane.kill("SIGKILL");
    killed.resolve();
  });
  mesh.write(
    "api.yaml",
    service("api", [{ port: app.port }]),
    ...Array.from({ length: services }, (_, index) => service(`many-${index}`, [{ port: app.port }])),
  );
  await killed.promise;
  await controlPlane.exitWithin(10_000);
  await eventually("disconnected", async () => assert.equal((await web.report()).xds.state, "disconnected"), {
    withinMs: startMs,
  });
  const clusters = await clustersOf(web);
  assert.doesNotMatch(clusters, /many-\d/, "half of a push must not arrive");
  assert.match(clusters, /old\.demo/);

  relay.mend();
  await mesh.restartControlPlane();
  await eventually(
    "the whole push",
    async () => {
      const names = new Set((await clustersOf(web)).match(/\|(?:many-\d+|old)\./g));
      assert.equal(names.size, services);
      assert.ok(!names.has("|old."));
    },
    { withinMs: startMs * 2, everyMs: 500 },
  );
  assert.equal((await web.report()).xds.state, "connected");
  assert.deepEqual(await load.stop(), []);
  assert.ok(load.count() > 20, `${load.count()} requests are too few to show anything`);
  await assertNotGrown(web.agent.pid, before, 80);
});
