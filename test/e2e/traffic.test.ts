import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { startApp } from "../support/http-app.ts";
import { startLoad } from "../support/load.ts";
import { get, TestMesh } from "../support/mesh.ts";
import { apiHost, egress, ingress, mutualTls, service } from "../support/mesh-objects.ts";
import { startWebAndApi } from "../support/web-and-api.ts";

describe("a request between two sidecars", () => {
  test("answers 200, and api sees web's SPIFFE identity", async () => {
    await using mesh = await startWebAndApi();
    const response = await mesh.call();
    assert.equal(response.status, 200);
    assert.equal(response.body.toString("utf8"), "api");
    const header = String(mesh.app.requests.at(-1)?.["x-forwarded-client-cert"]);
    assert.match(header, /;URI=spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web$/);
  });

  test("in plain text to a STRICT port is refused, and never reaches the application", async () => {
    await using mesh = await startWebAndApi();
    await assert.rejects(get(mesh.inboundPort, "/"), { code: "ECONNRESET" });
    assert.equal(mesh.app.requests.length, 0);
  });

  test("carries no failure while certificates of 30 seconds rotate", async () => {
    const shortLived = { env: { SECRET_TTL: "30s" } };
    await using mesh = await startWebAndApi({ web: shortLived, api: shortLived });
    const first = await mesh.api.report();
    await using load = startLoad(() => mesh.call());
    await eventually(
      "a second rotation",
      async () =>
        assert.ok((await mesh.api.metric('istio_agent_num_outgoing_requests{request_type="csr"}')) >= 3),
      { withinMs: 50_000, everyMs: 500 },
    );
    const failures = await load.stop();
    assert.deepEqual(failures, []);
    assert.ok(load.count() > 500, `${load.count()} requests are too few to show anything`);
    assert.notEqual((await mesh.api.report()).identity.notAfter, first.identity.notAfter);
  });
});

describe("a weight in the YAML folder", () => {
  test("shifts traffic with no restart", async () => {
    await using stack = new AsyncDisposableStack();
    const [inbound1 = 0, inbound2 = 0, outbound = 0] = await freePorts(3);
    const v1 = stack.use(await startApp("v1"));
    const v2 = stack.use(await startApp("v2"));
    const mesh = stack.use(
      await TestMesh.start({
        "api.yaml": [
          service("api", [
            { port: inbound1, labels: { version: "v1" }, serviceAccount: "api" },
            { port: inbound2, labels: { version: "v2" }, serviceAccount: "api2" },
          ]),
          ingress("api", inbound1, v1.port),
          ingress("api2", inbound2, v2.port),
          {
            apiVersion: "networking.istio.io/v1",
            kind: "DestinationRule",
            metadata: { name: "api", namespace: "demo" },
            spec: {
              host: apiHost,
              subsets: ["v1", "v2"].map((version) => ({ name: version, labels: { version } })),
            },
          },
        ],
        "route.yaml": [weights(100, 0)],
        "web.yaml": [egress("web", outbound)],
        "mtls.yaml": [mutualTls("STRICT")],
      }),
    );
    const sidecars = await Promise.all(["web", "api", "api2"].map((name) => mesh.sidecar(name)));
    await Promise.all(sidecars.map((sidecar) => sidecar.ready()));
    const pids = await Promise.all(sidecars.map(async (sidecar) => (await sidecar.report()).envoy.pid));
    const shares = async (): Promise<Record<string, number>> => {
      const answers = [];
      for (let count = 0; count < 100; count += 1)
        answers.push((await get(outbound, "/", { host: apiHost })).body.toString());
      return {
        v1: answers.filter((answer) => answer === "v1").length,
        v2: answers.filter((answer) => answer === "v2").length,
      };
    };
    assert.deepEqual(await shares(), { v1: 100, v2: 0 });

    mesh.write("route.yaml", weights(0, 100));
    await eventually("all traffic on v2", async () => assert.deepEqual(await shares(), { v1: 0, v2: 100 }), {
      withinMs: 10_000,
    });

    mesh.write("route.yaml", weights(50, 50));
    await eventually(
      "traffic on both",
      async () => {
        const { v1: first = 0, v2: second = 0 } = await shares();
        assert.equal(first + second, 100);
        assert.ok(first >= 25 && second >= 25, `${first} to ${second} is not half and half`);
      },
      { withinMs: 10_000 },
    );
    const after = await Promise.all(sidecars.map(async (sidecar) => (await sidecar.report()).envoy));
    assert.deepEqual(
      after.map(({ pid }) => pid),
      pids,
    );
    assert.deepEqual(
      after.map(({ restarts }) => restarts),
      [0, 0, 0],
    );
  });
});

describe("the control plane", () => {
  test("killed and restarted: traffic never stops, and the agents reconnect", async () => {
    await using mesh = await startWebAndApi();
    await using load = startLoad(() => mesh.call());
    mesh.mesh.controlPlane.kill("SIGKILL");
    await mesh.mesh.controlPlane.exited;
    await eventually(
      "web says why",
      async () => {
        const { state, problem } = (await mesh.web.report()).xds;
        assert.equal(state, "disconnected");
        assert.match(problem ?? "", /cannot be reached.*discoveryAddress/);
      },
      { withinMs: 20_000 },
    );
    assert.equal(
      (await mesh.web.report()).ready,
      true,
      "a lost control plane makes no serving sidecar unready",
    );
    await sleep(1_000);
    await mesh.mesh.restartControlPlane();
    for (const sidecar of [mesh.web, mesh.api]) {
      await eventually(
        `${sidecar.name} reconnects`,
        async () => assert.equal((await sidecar.report()).xds.state, "connected"),
        { withinMs: 45_000 },
      );
    }
    assert.deepEqual(await load.stop(), []);
  });

  test("refuses bad YAML with file, line and field, while the last good state serves", async () => {
    await using mesh = await startWebAndApi();
    const before = (await mesh.web.report()).envoy.pid;
    mesh.mesh.write("broken.yaml", {
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: { name: "broken", namespace: "demo" },
      spec: { hosts: [apiHost], http: [{ route: [{ destination: { hots: "api" } }] }] },
    });
    const problems = await eventually(
      "the refusal",
      async () => {
        const { body } = await get(mesh.mesh.controlPlanePorts.http, "/debug/configz");
        const status = JSON.parse(body.toString("utf8")) as {
          problems: { source: string; line: number; path: string }[];
        };
        assert.ok(status.problems.length > 0);
        return status.problems;
      },
      { withinMs: 10_000 },
    );
    const [first] = problems;
    assert.match(first?.source ?? "", /broken\.yaml$/);
    assert.equal(first?.line, 12);
    assert.equal(first?.path, "spec.http[0].route[0].destination.hots");
    assert.equal((await mesh.call()).status, 200);
    assert.equal((await mesh.web.report()).envoy.pid, before);
  });
});

function weights(v1: number, v2: number): object {
  const route = [
    { destination: { host: apiHost, subset: "v1" }, weight: v1 },
    { destination: { host: apiHost, subset: "v2" }, weight: v2 },
  ];
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "api", namespace: "demo" },
    spec: { hosts: [apiHost], http: [{ route }] },
  };
}
