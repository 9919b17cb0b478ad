/** A gateway: it captures nothing, serves what the control plane or its own bootstrap says, and drains all of it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { describe, test } from "node:test";
import { directResponseListener } from "../support/envoy-config.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { startApp } from "../support/http-app.ts";
import { get, TestMesh } from "../support/mesh.ts";
import { startOutrider } from "../support/outrider.ts";
import { StandaloneSidecar } from "../support/standalone-sidecar.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { prepareWorkload, sidecarReady } from "../support/workload.ts";

test("with the release's bootstrap it is a router to the control plane, and ready", async () => {
  await using mesh = await TestMesh.start({});
  const gateway = await prepareWorkload(mesh, "ingress");
  await using agent = startOutrider({
    args: ["proxy", "router", "--domain", "demo.svc.cluster.local", "--proxyLogLevel=warning"],
    cwd: gateway.folder,
    env: gateway.env,
  });
  await sidecarReady(gateway, agent);
  const info = JSON.parse((await get(gateway.ports.admin, "/server_info")).body.toString("utf8")) as {
    readonly node: { readonly id: string };
  };
  assert.equal(info.node.id, "router~127.0.0.1~ingress-1.demo~demo.svc.cluster.local");
  assert.equal((await get(gateway.ports.envoyStatus, "/healthz/ready")).status, 200);
  agent.kill("SIGTERM");
  assert.deepEqual(await agent.exitWithin(20_000), { kind: "exited", code: 0 }, agent.lines.join("\n"));
});

/** A proxy of this type before an application, on a bootstrap of its own: its listener is of no direction. */
async function startBefore(
  type: "sidecar" | "router",
  appPort: number,
  folder: string,
): Promise<{ readonly proxy: StandaloneSidecar; readonly port: number }> {
  const [port = 0] = await freePorts(1);
  const endpoint = { address: { socket_address: { address: "127.0.0.1", port_value: appPort } } };
  const proxy = await StandaloneSidecar.ready({
    folder,
    type,
    proxyConfig: { terminationDrainDuration: "4s" },
    bootstrap: {
      listeners: [directResponseListener({ port, cluster: "app" })],
      clusters: [
        {
          name: "app",
          type: "STATIC",
          connect_timeout: "1s",
          load_assignment: { cluster_name: "app", endpoints: [{ lb_endpoints: [{ endpoint }] }] },
        },
      ],
    },
  });
  return { proxy, port };
}

/** A request on a new connection that its client would keep, and what the answer says of that. */
async function askToKeep(
  port: number,
): Promise<{ readonly status: number | undefined; readonly connection: string | undefined }> {
  const agent = new Agent({ keepAlive: true });
  try {
    const asked = request({ host: "127.0.0.1", port, agent }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    response.resume();
    return { status: response.statusCode, connection: response.headers.connection };
  } finally {
    agent.destroy();
  }
}

describe("on SIGTERM", () => {
  test("a gateway drains every listener, and lets requests in flight finish", async () => {
    using folder = temporaryFolder();
    await using app = await startApp("app");
    const { proxy, port } = await startBefore("router", app.port, folder.path);
    await using gateway = proxy;
    const slow = get(port, "/slow?ms=1500");
    await eventually("the slow request", () => assert.equal(app.requests.length, 1), { withinMs: 10_000 });
    gateway.agent.kill("SIGTERM");
    await eventually(
      "a word to the client that this connection ends",
      async () => {
        assert.deepEqual(await askToKeep(port), { status: 200, connection: "close" });
      },
      { withinMs: 5_000 },
    );
    assert.equal((await slow).status, 200);
    assert.deepEqual(await gateway.agent.exitWithin(20_000), { kind: "exited", code: 0 });
    assert.match(gateway.agent.lines.join("\n"), /node=router~/);
  });

  test("a sidecar leaves alone what is not inbound", async () => {
    using folder = temporaryFolder();
    await using app = await startApp("app");
    const { proxy, port } = await startBefore("sidecar", app.port, folder.path);
    await using sidecar = proxy;
    sidecar.agent.kill("SIGTERM");
    await eventually(
      "the drain",
      () => assert.ok(sidecar.agent.lines.some((line) => line.includes("draining"))),
      { withinMs: 10_000 },
    );
    assert.deepEqual(await askToKeep(port), { status: 200, connection: undefined });
  });
});
