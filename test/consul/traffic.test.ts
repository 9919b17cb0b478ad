/** Two Envoys whose services come from a real Consul: whatever happens to it, what is well is called. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openTokenIssuer } from "../../src/controlplane/demo-tokens.ts";
import { RealConsul } from "../support/consul/consul.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { startApp } from "../support/http-app.ts";
import { startLoad } from "../support/load.ts";
import { get, TestMesh, type TestSidecar } from "../support/mesh.ts";
import { egress, ingress } from "../support/mesh-objects.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const withinMs = 60_000;

/** Where services of Consul are. */
const namespace = "default";

function inDefault(object: object): object {
  const { metadata, ...rest } = object as { readonly metadata: object };
  return { ...rest, metadata: { ...metadata, namespace } };
}

async function sidecar(mesh: TestMesh, name: string): Promise<TestSidecar> {
  const issuer = await openTokenIssuer(join(mesh.folder, "state"));
  const request = { namespace, serviceAccount: name, audience: "istio-ca", lifetimeMs: 3_600_000 };
  return mesh.sidecar(name, { token: await issuer.issue(request), env: { POD_NAMESPACE: namespace } });
}

describe("with a real Consul", () => {
  test(
    "calls follow what is registered and well, and nothing is lost with Consul",
    { timeout: 600_000 },
    async () => {
      await using stack = new AsyncDisposableStack();
      const folder = stack.use(temporaryFolder()).path;
      const consul = stack.use(await RealConsul.start(join(folder, "consul")));
      const [inbound = 0, outbound = 0] = await freePorts(2);
      const app = stack.use(await startApp("api"));
      const moved = stack.use(await startApp("moved"));
      const api = {
        id: "api-1",
        name: "api",
        address: "127.0.0.1",
        port: inbound,
        meta: { protocol: "http", serviceAccount: "api" },
      };
      await consul.register(api);
      const tokenFile = join(folder, "token");
      writeFileSync(tokenFile, await consul.readToken());
      const mesh = stack.use(
        await TestMesh.start(
          {
            "api.yaml": [inDefault(ingress("api", inbound, app.port))],
            "web.yaml": [inDefault(egress("web", outbound))],
          },
          ["--registries=Consul", "--consulserverURL", consul.url, "--consulTokenFile", tokenFile],
        ),
      );
      const [web, server] = await Promise.all([sidecar(mesh, "web"), sidecar(mesh, "api")]);
      await Promise.all([web.ready(), server.ready()]);
      const call = (name = "api") => get(outbound, "/", { host: `${name}.service.consul` });
      const answers = (what: string, name: string, expected: string | number): Promise<void> =>
        eventually(
          what,
          async () => {
            const { status, body } = await call(name);
            assert.equal(typeof expected === "number" ? status : body.toString("utf8"), expected);
          },
          { withinMs },
        );
      const up = async (): Promise<number> => {
        const { body } = await get(mesh.controlPlanePorts.http, "/metrics");
        return Number(/pilot_registry_up\{registry="consul"\} (\d)/.exec(body.toString("utf8"))?.[1]);
      };
      const isUp = (expected: number): Promise<void> =>
        eventually(`registry_up ${expected}`, async () => assert.equal(await up(), expected), { withinMs });

      await answers("a call through both Envoys", "api", "api");
      assert.ok(app.requests.at(-1)?.["x-forwarded-client-cert"]?.includes("spiffe://"), "by mutual TLS");

      // Fails its check, and passes it again.
      await consul.check("api-1", "fail");
      await answers("no endpoint", "api", 503);
      await consul.check("api-1", "pass");
      await answers("the endpoint again", "api", "api");

      // Comes, moves, and goes.
      const other = { id: "other-1", name: "other", address: "127.0.0.1", meta: { protocol: "http" } };
      await consul.register({ ...other, port: app.port });
      await answers("a service that came", "other", "api");
      await consul.register({ ...other, port: moved.port });
      await answers("a service that moved", "other", "moved");
      await consul.deregister("other-1");
      await eventually(
        "a service that went",
        async () => assert.notEqual((await call("other")).status, 200),
        {
          withinMs,
        },
      );

      await using load = startLoad(call);
      // The token is refused, and replaced.
      const good = await consul.readToken();
      writeFileSync(tokenFile, "99999999-0000-0000-0000-000000000000");
      await consul.register({ ...other, port: app.port });
      await isUp(0);
      writeFileSync(tokenFile, good);
      await isUp(1);
      await answers("what came meanwhile", "other", "api");

      // Killed, and back with what it had.
      await consul.kill();
      await isUp(0);
      await load.more(50);
      await consul.start();
      await isUp(1);

      // Back with nothing: its index begins anew, and the agent tells it again.
      await consul.kill();
      consul.forget();
      await consul.start();
      writeFileSync(tokenFile, await consul.readToken());
      await load.more(50);
      await consul.register(api);
      await isUp(1);
      await load.more(50);
      // Restarted while Consul is dead: what was kept is served.
      await consul.kill();
      mesh.controlPlane.kill("SIGKILL");
      await mesh.controlPlane.exited;
      await mesh.restartControlPlane();
      const { body } = await get(mesh.controlPlanePorts.http, "/debug/configz");
      assert.match(body.toString("utf8"), /consul\.api\.\d+[^]*what it had at .* is served/);
      await load.more(50);

      assert.deepEqual(await load.stop(), []);
    },
  );
});
