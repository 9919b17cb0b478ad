import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HttpServer } from "../../../src/net/http-server.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { startApp } from "../../support/http-app.ts";
import { startLoad } from "../../support/load.ts";
import { get, startMs, TestMesh } from "../../support/mesh.ts";
import { apiHost, egress, mutualTls, plainText, service } from "../../support/mesh-objects.ts";

interface ProxySync {
  readonly proxy: string;
  readonly unhealthy?: string;
}

describe("a workload with a readinessProbe", () => {
  test("gets traffic while it is healthy only, over a restart of the control plane, and no request fails", async () => {
    await using stack = new AsyncDisposableStack();
    const [outbound = 0] = await freePorts(1);
    const one = stack.use(await startApp("one"));
    const two = stack.use(await startApp("two"));
    let status = 200;
    const probe = stack.use(
      await HttpServer.listen({ host: "127.0.0.1", port: 0 }, (_, response) => {
        response.writeHead(status).end();
      }),
    );
    const endpoint = (name: string, port: number) => ({ port, serviceAccount: name, labels: { app: name } });
    const mesh = stack.use(
      await TestMesh.start({
        "api.yaml": [service("api", [endpoint("one", one.port), endpoint("two", two.port)])],
        "plain.yaml": [plainText("api"), mutualTls("DISABLE")],
        "web.yaml": [egress("web", outbound)],
      }),
    );
    const web = await mesh.sidecar("web");
    const workload = await mesh.sidecar("one", {
      proxyConfig: { readinessProbe: { httpGet: { port: probe.port }, periodSeconds: 1 } },
    });
    await web.ready();
    await workload.ready();
    const call = () => get(outbound, "/", { host: apiHost });
    /** Resolves once a row of requests was answered by these, and by each of them. */
    const served = (...names: readonly string[]): Promise<void> =>
      eventually(
        `served by ${names.join(" and ")}`,
        async () => {
          const answers = new Set<string>();
          for (let request = 0; request < 20; request += 1) answers.add((await call()).body.toString("utf8"));
          assert.deepEqual([...answers].toSorted(), names);
        },
        { withinMs: startMs },
      );
    const unhealthy = async (): Promise<readonly (string | undefined)[]> => {
      const { body } = await get(mesh.controlPlanePorts.http, "/debug/syncz");
      const proxies = JSON.parse(body.toString("utf8")) as readonly ProxySync[];
      return proxies.filter(({ proxy }) => proxy.includes("~one-1.")).map((proxy) => proxy.unhealthy);
    };

    await served("one", "two");
    await using load = startLoad(call);
    const { workload: healthy } = await workload.report();
    assert.equal(healthy?.state, "healthy");
    assert.equal(healthy.check, `GET http://127.0.0.1:${probe.port}/`);

    status = 503;
    await served("two");
    assert.deepEqual(await unhealthy(), ["it answered 503"]);
    const { workload: sick } = await workload.report();
    assert.deepEqual(
      [sick?.state, sick?.reason, sick?.lastFailure],
      ["unhealthy", "it answered 503", "it answered 503"],
    );
    assert.equal(await workload.metric("outrider_workload_healthy"), 0);

    // The control plane forgets; the sidecar tells it again.
    mesh.controlPlane.kill("SIGKILL");
    await mesh.controlPlane.exitWithin(5_000);
    await mesh.restartControlPlane();
    await eventually(
      "the health told again",
      async () => assert.deepEqual(await unhealthy(), ["it answered 503"]),
      {
        withinMs: startMs,
      },
    );
    await served("two");

    status = 200;
    await served("one", "two");
    assert.deepEqual(await unhealthy(), [undefined]);
    assert.deepEqual(await load.stop(), []);
    assert.ok(load.count() > 20, `${load.count()} requests are too few to show anything`);
  });
});
