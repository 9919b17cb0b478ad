/** Who may ask the control plane for what, and who may change anything. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { get as httpGet } from "node:http";
import { connect } from "node:net";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { DiscoveryPlane, type TestNode, type TestStream } from "../../support/discovery-plane.ts";
import { eventually } from "../../support/eventually.ts";

const service = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: demo}
spec:
  hosts: [api.demo.svc.cluster.local]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 127.0.0.1, serviceAccount: api}]
`;

const withinMs = 20_000;

const node = (account: string, changes: Partial<TestNode> = {}): TestNode => ({
  id: `sidecar~127.0.0.1~${account}-1.demo~demo.svc.cluster.local`,
  metadata: { NAMESPACE: "demo", SERVICE_ACCOUNT: account },
  ...changes,
});

async function takesClusters(stream: TestStream): Promise<void> {
  stream.send({ typeUrl: typeUrl.cluster });
  const { count } = await stream.next();
  assert.ok(count > 0);
}

const isUnhealthy = (plane: DiscoveryPlane): boolean =>
  plane.log.lines.some((line) => line.includes("workload is unhealthy"));

describe("a report of health", () => {
  const down = { typeUrl: typeUrl.healthInformation, error: "down" };

  test("in plain text changes nothing under anybody's name, is told once, and the stream reads on", async () => {
    await using plane = await DiscoveryPlane.start({ "api.yaml": service });
    const stream = plane.plain(node("api"));
    await takesClusters(stream);
    stream.send(down);
    stream.send(down);
    await eventually(
      "the refusal",
      () => {
        const told = plane.log.lines.filter((line) => line.includes("health of a workload is not taken"));
        assert.equal(told.length, 1);
        assert.match(told[0] ?? "", /proves no identity/);
      },
      { withinMs },
    );
    stream.send({ typeUrl: typeUrl.endpoint });
    assert.equal((await stream.next()).typeUrl, typeUrl.endpoint);
    assert.equal(isUnhealthy(plane), false);
  });

  test("with the workload's own credential counts, with another's it does not", async () => {
    await using plane = await DiscoveryPlane.start({ "api.yaml": service });
    const web = await plane.secure("web", node("web"));
    await takesClusters(web);
    web.send(down);
    web.send({ typeUrl: typeUrl.endpoint });
    await web.next();
    assert.equal(isUnhealthy(plane), false);
    const api = await plane.secure("api", node("api"));
    await takesClusters(api);
    api.send(down);
    await eventually("it counts", () => assert.ok(isUnhealthy(plane)), { withinMs });
    const successor = await plane.secure("api", node("api", { id: "sidecar~127.0.0.1~api-2.demo~x" }));
    await takesClusters(successor);
    successor.send({ typeUrl: typeUrl.healthInformation });
    await eventually(
      "what takes the workload's place speaks for it",
      () => assert.ok(plane.log.lines.some((line) => line.includes("workload is healthy"))),
      { withinMs },
    );
  });
});

describe("a stream with web's token", () => {
  const refused: readonly [what: string, node: TestNode, message: RegExp][] = [
    [
      "a node ID of another namespace",
      node("web", { id: "sidecar~127.0.0.1~web-1.other~other.svc.cluster.local" }),
      /demo\/web.*node ID is other/,
    ],
    ["another service account", node("api"), /\(demo\/web\) matched demo\/api/],
    [
      "another namespace's metadata",
      node("web", { metadata: { NAMESPACE: "other", SERVICE_ACCOUNT: "web" } }),
      /NAMESPACE is other/,
    ],
  ];
  for (const [what, said, message] of refused) {
    test(`${what}: refused with both sides`, async () => {
      await using plane = await DiscoveryPlane.start({ "api.yaml": service });
      const stream = await plane.secure("web", said);
      stream.send({ typeUrl: typeUrl.cluster });
      await assert.rejects(stream.next(), (error: { code?: string; message: string }) => {
        assert.equal(error.code, "PERMISSION_DENIED");
        assert.match(error.message, message);
        return true;
      });
    });
  }

  test("is served as what the folder declares, where that is asked for, and no longer when it does not", async () => {
    const binding = { binding: "workload", trustsAddresses: false } as const;
    await using plane = await DiscoveryPlane.start({ "api.yaml": service }, { binding });
    const web = await plane.secure("web", node("web"));
    web.send({ typeUrl: typeUrl.cluster });
    await assert.rejects(web.next(), /declares no workload of this identity/);
    await takesClusters(await plane.secure("api", node("api")));
  });
});

test("the port in plain text can be off", async () => {
  await using plane = await DiscoveryPlane.start({}, { grpcPort: undefined });
  assert.equal(plane.server.ports.grpc, undefined);
});

test("the port in plain text is for loopback, whatever the others listen on", async () => {
  await using plane = await DiscoveryPlane.start({}, { host: "0.0.0.0" });
  const reaches = (host: string, port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ host, port });
      socket.on("error", () => {
        resolve(false);
      });
      socket.on("connect", () => {
        socket.destroy();
        resolve(true);
      });
    });
  const { grpc = 0, secureGrpc } = plane.server.ports;
  assert.deepEqual(
    [
      await reaches("127.0.0.2", secureGrpc),
      await reaches("127.0.0.1", grpc),
      await reaches("127.0.0.2", grpc),
    ],
    [true, true, false],
  );
});

test("pages that name workloads and files are for loopback", async () => {
  await using plane = await DiscoveryPlane.start({}, { host: "0.0.0.0" });
  const status = (localAddress: string, path: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port: plane.server.ports.http, path, localAddress, agent: false };
      httpGet(options, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      }).on("error", reject);
    });
  for (const path of ["/debug/syncz", "/debug/configz"]) {
    assert.equal(await status("127.0.0.1", path), 200, path);
    assert.equal(await status("127.0.0.6", path), 403, path);
  }
  assert.equal(await status("127.0.0.6", "/ready"), 200);
});
