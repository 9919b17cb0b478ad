/** Control planes beside each other, which are replaced one by one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlPlanes } from "../../support/control-planes.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { startApp } from "../../support/http-app.ts";
import { startLoad } from "../../support/load.ts";
import { get, startMs, TestMesh, type TestSidecar } from "../../support/mesh.ts";
import { apiHost, egress, ingress, mutualTls, service } from "../../support/mesh-objects.ts";

/** How often Envoy was sent endpoints of api. */
async function endpointsSent({ ports }: TestSidecar): Promise<number> {
  const { body } = await get(ports.admin, `/stats?filter=${apiHost}.*update_success`);
  return Number(/update_success: (\d+)/.exec(body.toString("utf8"))?.[1]);
}

test("restarted one after the other they fail no request, and what proxies have is not sent again", async () => {
  await using stack = new AsyncDisposableStack();
  const [inboundPort = 0, outboundPort = 0] = await freePorts(2);
  const app = stack.use(await startApp("api"));
  const mesh = stack.use(
    await TestMesh.start({
      "api.yaml": [service("api", [{ port: inboundPort }]), ingress("api", inboundPort, app.port)],
      "web.yaml": [egress("web", outboundPort)],
      "mtls.yaml": [mutualTls("STRICT")],
    }),
  );
  const planes = stack.use(await ControlPlanes.start(mesh, 3));
  const proxyStatsMatcher = { inclusionSuffixes: ["update_success"] };
  const changes = { proxyConfig: { discoveryAddress: planes.address, proxyStatsMatcher } };
  const [web, api] = [await mesh.sidecar("web", changes), await mesh.sidecar("api", changes)];
  await Promise.all([web.ready(), api.ready()]);
  await planes.connected(2);
  const sent = await endpointsSent(web);
  assert.ok(sent > 0, `endpoints were sent ${sent} times`);

  const load = stack.use(startLoad(() => get(outboundPort, "/", { host: apiHost })));
  await load.more(20);
  for (const plane of planes.all) {
    await plane.stop();
    await planes.connected(2);
    await plane.start();
    await load.more(20);
  }
  assert.equal(await endpointsSent(web), sent);
  assert.deepEqual(await load.stop(), []);

  const changed = [{ port: inboundPort }, { port: app.port }];
  mesh.write("api.yaml", service("api", changed), ingress("api", inboundPort, app.port));
  await eventually(
    "the endpoint that was added",
    async () => {
      assert.equal(await endpointsSent(web), sent + 1);
    },
    { withinMs: startMs },
  );
});
