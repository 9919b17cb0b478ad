/** A configuration that Envoy refuses must not wait for the next Envoy: swaps, deaths and restarts of the container. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { agentChecks } from "../../../src/doctor/running-agent.ts";
import type { HttpResponse } from "../../../src/net/http-client.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { startApp } from "../../support/http-app.ts";
import { startLoad } from "../../support/load.ts";
import { get, startMs, TestMesh, type TestSidecar } from "../../support/mesh.ts";
import { runOutrider } from "../../support/outrider.ts";
import { relabel } from "../../support/relabel.ts";
import { ScriptedControlPlane } from "../../support/scripted-control-plane.ts";
import { type ScriptedService, scriptedServices } from "../../support/xds-resources.ts";

let mesh: TestMesh;

before(async () => {
  mesh = await TestMesh.start({});
});

after(async () => {
  await mesh[Symbol.asyncDispose]();
});

const kinds = ["cluster", "endpoint", "listener", "route"] as const;

/** Until Envoy serves again nobody answers; but nobody may answer anything else than 200. */
async function callOrNobody(port: number): Promise<HttpResponse> {
  const nobody = { status: 200, body: Buffer.alloc(0) } as HttpResponse;
  return get(port, "/").catch((error: unknown) => {
    if (/ECONNREFUSED|ECONNRESET|socket hang up/.test(String(error))) return nobody;
    throw error;
  });
}

/** The first answer that is not 200, with whose it is; one of the others otherwise. */
async function callAll(
  services: readonly ScriptedService[],
  call: (port: number) => Promise<HttpResponse>,
): Promise<HttpResponse> {
  const [first, ...more] = await Promise.all(
    services.map(async ({ name, port }) => ({ name, ...(await call(port)) })),
  );
  assert.ok(first !== undefined);
  const bad = [first, ...more].find(({ status }) => status !== 200);
  return bad === undefined ? first : { ...bad, body: Buffer.from(`${bad.name}: ${bad.body.toString()}`) };
}

describe("a refused configuration", { concurrency: true }, () => {
  for (const [protocol, swapMode] of [
    ["delta", "overlap"],
    ["state of the world", "hot"],
  ] as const) {
    test(`costs nothing at a ${swapMode} swap, a death and a restart of the container, with ${protocol}`, async () => {
      await using stack = new AsyncDisposableStack();
      const ports = await freePorts(kinds.length + 1);
      const app = stack.use(await startApp("api"));
      // One service for each type that is refused, and one that is well.
      const services = [...kinds, undefined].map((bad, index): ScriptedService => ({
        ...{ name: bad ?? "good", port: ports[index] ?? 0, appPort: app.port },
      }));
      const refused = services.map((service): ScriptedService => {
        const bad = kinds.filter((kind) => kind === service.name);
        return { ...service, bad, version: "2" };
      });
      const plane = stack.use(await ScriptedControlPlane.listen(scriptedServices(services)));
      const start = (): Promise<TestSidecar> =>
        mesh.sidecar(protocol.replaceAll(" ", "-"), {
          flags: [`--swapMode=${swapMode}`, "--parentShutdownDuration=2s"],
          env: {
            ISTIO_DELTA_XDS: String(protocol === "delta"),
            CA_ADDR: `localhost:${mesh.controlPlanePorts.tls}`,
          },
          proxyConfig: {
            ...{ discoveryAddress: plane.address, controlPlaneAuthPolicy: "NONE", drainDuration: "1s" },
          },
        });
      let sidecar = await start();
      await sidecar.ready();
      const serves = async (): Promise<void> => {
        for (const { name, port } of services) assert.equal((await get(port, "/")).status, 200, name);
      };
      await eventually("every service", serves, { withinMs: startMs });

      plane.push(scriptedServices(refused));
      const isTold = async (): Promise<void> => {
        const { xds, ready } = await sidecar.report();
        assert.equal(ready, true);
        const told = xds.refused?.map(({ typeUrl, name, serves: what }) => [
          typeUrl.replace(/^.*\./, ""),
          name,
          what,
        ]);
        assert.deepEqual(told?.toSorted(), [
          ["Cluster", "cluster", "last accepted"],
          ["ClusterLoadAssignment", "endpoint", "last accepted"],
          ["Listener", "listener", "last accepted"],
          ["RouteConfiguration", "route", "last accepted"],
        ]);
      };
      await eventually("told", isTold, { withinMs: startMs });
      await serves();
      const probe = await get(sidecar.ports.status, "/healthz/ready");
      assert.equal(probe.status, 200);
      assert.match(probe.body.toString("utf8"), /^stale: Envoy refuses .*the last accepted one serves/);
      assert.equal(
        await sidecar.metric(
          'istio_agent_xds_refused_resources{type="type.googleapis.com/envoy.config.route.v3.RouteConfiguration",serves="last accepted"}',
        ),
        1,
      );

      // Where the kernel moves no connections, an overlap may lose one; nobody may answer anything else.
      await using load = startLoad(() =>
        callAll(services, swapMode === "overlap" ? callOrNobody : (port: number) => get(port, "/")),
      );
      const report = await relabel(sidecar, "v2");
      assert.equal(report.result === "swapped" && report.mode, swapMode, JSON.stringify(report));
      await load.more(50);
      assert.deepEqual(await load.stop(), []);
      await eventually("told after the swap", isTold, { withinMs: startMs });

      await using any = startLoad(() => callAll(services, callOrNobody));
      const { envoy } = await sidecar.report();
      process.kill(envoy.pid ?? 0, "SIGKILL");
      await eventually(
        "another Envoy",
        async () => {
          const now = await sidecar.report();
          assert.ok(now.ready && now.envoy.pid !== envoy.pid);
        },
        { withinMs: startMs },
      );
      await serves();
      await eventually("told after the death", isTold, { withinMs: startMs });

      sidecar.agent.kill("SIGTERM");
      await sidecar.agent.exitWithin(20_000);
      sidecar = await start();
      await sidecar.ready();
      await serves();
      await eventually("told after the restart", isTold, { withinMs: startMs });
      assert.deepEqual(await any.stop(), []);

      const { output } = await runOutrider({
        args: ["xds", "--statusPort", String(sidecar.ports.status)],
        withinMs: 20_000,
      });
      assert.match(
        output,
        /refused now {2}RouteConfiguration {2}route {2}since .* {2}the last accepted one serves {2}invalid perl/,
      );

      const [check] = agentChecks(sidecar.ports.status, {
        ...{ pid: sidecar.agent.pid, envoys: [], strays: [] },
      });
      const findings = (await check?.run(AbortSignal.timeout(20_000))) ?? [];
      assert.deepEqual(
        findings.map(({ name, verdict }) => [name, verdict]),
        [["readiness", "ok"], ...kinds.map(() => ["refused-configuration", "warning"])],
        JSON.stringify(findings),
      );

      plane.push(scriptedServices(services.map((service) => ({ ...service, version: "3" }))));
      await eventually(
        "nothing refused",
        async () => assert.equal((await sidecar.report()).xds.refused, undefined),
        { withinMs: startMs },
      );
      assert.equal((await get(sidecar.ports.status, "/healthz/ready")).body.toString("utf8"), "");
      await serves();
      assert.deepEqual(plane.foreignNonces, []);
    });
  }

  test("of which nothing is kept makes a swap wait until it is corrected", async () => {
    await using stack = new AsyncDisposableStack();
    const [port = 0] = await freePorts(1);
    const app = stack.use(await startApp("api"));
    const service: ScriptedService = { name: "route", port, appPort: app.port };
    const plane = stack.use(await ScriptedControlPlane.listen(scriptedServices([service])));
    const sidecar = await mesh.sidecar("uncached", {
      flags: ["--xdsCache=false", "--swapMode=hot"],
      env: { CA_ADDR: `localhost:${mesh.controlPlanePorts.tls}` },
      proxyConfig: { discoveryAddress: plane.address, controlPlaneAuthPolicy: "NONE" },
    });
    await sidecar.ready();
    plane.push(scriptedServices([{ ...service, bad: ["route"] }]));
    await eventually(
      "refused",
      async () => assert.equal((await sidecar.report()).xds.refused?.[0]?.serves, "last accepted"),
      { withinMs: startMs },
    );
    const { envoy } = await sidecar.report();
    const swapped = relabel(sidecar, "v2");
    await eventually(
      "the swap waits",
      async () =>
        assert.match(
          (await sidecar.report()).envoy.swapWaitsFor ?? "",
          /Envoy refuses RouteConfiguration "route" .*not kept for another Envoy/,
        ),
      { withinMs: startMs },
    );
    assert.equal((await sidecar.report()).envoy.pid, envoy.pid);
    assert.equal((await get(port, "/")).status, 200);
    plane.push(scriptedServices([{ ...service, version: "3" }]));
    const report = await swapped;
    assert.equal(report.result, "swapped", JSON.stringify(report));
    assert.equal((await get(port, "/")).status, 200);
  });
});
